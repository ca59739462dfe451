"""Archives, addresses, images' names and webhooks: what is taken, and what is not."""

import hashlib
import hmac
import io
import ipaddress
import json
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import pytest

from builder import addresses
from builder.fetch import file_address, git_address
from builder.foreign import reference
from hooks import archive, commits, webhook
from mothership import pack
from mothership.commands.deploy import processes, without_login
from mothership.errors import Invalid, Refused, TooLarge
from mothership.repos import Repos
from mothership.store import Accounts, Apps, Store
from mothership.store.doors import Webhook, Webhooks

MEGA = 1 << 20
SHA = "a" * 40


def tar(path: Path, *members: tuple[tarfile.TarInfo | str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as made:  # type: ignore[call-overload]
        for member, data in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return path


def info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, mode
    return made


class Repository:
    """A bare repository that archives are committed to."""

    def __init__(self, root: Path) -> None:
        self.path = root / "blog.git"
        subprocess.run(["git", "init", "-q", "--bare", str(self.path)], check=True)

    async def take(self, path: Path, limit: int = MEGA) -> str:
        with commits.quarantine(self.path) as place:
            made = await commits.from_archive(path, self.path, place, author="ada", message="Deploy of x", limit=limit)
            commits.keep(place)
        return made

    def git(self, *words: str) -> str:
        argv = ["git", f"--git-dir={self.path}", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def tree(self, commit: str) -> dict[str, str]:
        lines = self.git("ls-tree", "-r", "-z", commit).split("\0")
        return {line.partition("\t")[2]: line.split()[0] for line in lines if line}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
async def test_every_packing_becomes_the_same_tree(repository: Repository, tmp_path: Path, mode: str) -> None:
    made = tar(
        tmp_path / "a",
        ('./a ü ".txt', b"1"),
        (info("./bin/run", mode=0o755), b"#!"),
        (info("./link", tarfile.SYMTYPE, "bin/run"), b""),
        (info("./hard", tarfile.LNKTYPE, "./bin/run"), b""),
        (".git/config", b"x"),
        ("pax_global_header", b"x"),
        mode=mode,
    )
    commit = await repository.take(made)
    assert repository.tree(commit) == {
        'a ü ".txt': "100644",
        "bin/run": "100755",
        "link": "120000",
        "hard": "100755",
    }
    assert repository.git("show", f"{commit}:hard") == "#!"
    assert repository.git("fsck", "--strict", commit).strip() == ""
    assert not list(repository.path.glob("objects/tmp_*"))


async def test_the_only_folder_is_the_root_and_links_are_judged_from_there(
    repository: Repository, tmp_path: Path
) -> None:
    commit = await repository.take(
        tar(tmp_path / "a", ("top/x", b"1"), (info("top/d/l", tarfile.SYMTYPE, "../x"), b""))
    )
    assert repository.tree(commit) == {"x": "100644", "d/l": "120000"}
    out = tar(tmp_path / "b", ("top/x", b"1"), (info("top/l", tarfile.SYMTYPE, "../x"), b""))
    with pytest.raises(Invalid, match="leads out"):
        await repository.take(out)
    two = await repository.take(tar(tmp_path / "c", ("top/x", b"1"), ("other", b"2")))
    assert repository.tree(two) == {"top/x": "100644", "other": "100644"}


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (info("../x"), "leads out"),
        (info("a/../../x"), "leads out"),
        (info("/x"), "leads out"),
        (info("l", tarfile.SYMTYPE, "/etc/passwd"), "leads out"),
        (info("l", tarfile.SYMTYPE, "a/../../x"), "leads out"),
        (info("h", tarfile.LNKTYPE, "not/there"), "hard link"),
        (info("d", tarfile.BLKTYPE), "device"),
        (info("f", tarfile.FIFOTYPE), "device"),
        (info("x" * 300), "too long"),
        (info("line\nbreak"), "line break"),
    ],
)
async def test_what_could_do_harm_is_refused_whole(
    repository: Repository, tmp_path: Path, member: tarfile.TarInfo, reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        await repository.take(tar(tmp_path / "a", ("fine", b"1"), (member, b"")))
    assert not list(repository.path.glob("objects/tmp_*")) and not list(repository.path.glob("objects/pack/*.pack"))


async def test_bombs_are_stopped_while_they_unpack(repository: Repository, tmp_path: Path) -> None:
    zeros = tar(tmp_path / "a", ("zeros", bytes(8 * MEGA)), mode="w:gz")
    assert zeros.stat().st_size < MEGA // 10
    with pytest.raises(TooLarge, match="more than 4 MiB"):
        await repository.take(zeros)
    with zipfile.ZipFile(tmp_path / "b", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros", bytes(8 * MEGA))
    with pytest.raises(TooLarge, match="more than 4 MiB"):
        await repository.take(tmp_path / "b")
    described = info("x")
    described.pax_headers = {"comment": "x" * (2 * MEGA)}
    with tarfile.open(tmp_path / "c", "w", format=tarfile.PAX_FORMAT) as made:
        made.addfile(described)
    with pytest.raises(TooLarge, match="attributes"):
        await repository.take(tmp_path / "c")


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ENTRIES", 3)
    made = tar(tmp_path / "a", *((f"f{n}", b"") for n in range(4)))
    with pytest.raises(TooLarge, match="more than 3 files"):
        list(archive.files(made, MEGA))


async def test_zips_are_taken_with_links_and_modes_and_refused_when_they_lead_out(
    repository: Repository, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("top/é.txt", "1")
        run = zipfile.ZipInfo("top/run")
        run.external_attr = (stat.S_IFREG | 0o755) << 16
        packed.writestr(run, "#!")
        link = zipfile.ZipInfo("top/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "run")
        packed.writestr("__MACOSX/top/._run", "x")
    commit = await repository.take(tmp_path / "a.zip")
    assert repository.tree(commit) == {"é.txt": "100644", "run": "100755", "link": "120000"}
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("..\\x", "1")
    with pytest.raises(Invalid, match="leads out"):
        await repository.take(tmp_path / "b.zip")


@pytest.mark.parametrize(
    "data", [b"", b"x", b"hello" * 999, b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", bytes(512)]
)
async def test_what_is_no_archive_is_called_so(repository: Repository, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(Invalid):
        await repository.take(tmp_path / "a")


@pytest.mark.parametrize(
    ("text", "url", "ref", "password"),
    [
        ("https://host/a.git", "https://host/a.git", "", ""),
        ("https://host:8443/a.git#feature/x", "https://host:8443/a.git", "feature/x", ""),
        ("https://ada:s%40@host/a.git#main", "https://host/a.git", "main", "s@"),
        ("https://s3cret@host/a.git", "https://host/a.git", "", "s3cret"),
        ("git@host:ada/a.git", "ssh://git@host/ada/a.git", "", ""),
        ("ssh://git@host:2222/a.git#v1", "ssh://git@host:2222/a.git", "v1", ""),
    ],
)
def test_a_repositorys_address_is_apart_from_its_password(text: str, url: str, ref: str, password: str) -> None:
    address = git_address(text)
    assert (address.url, address.ref, address.password) == (url, ref, password)
    assert not password or password not in repr(address) + address.shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.git",
        "/etc",
        "file:///etc",
        "ext::sh -c id",
        "fd::7",
        "ftp://host/a",
        "https://",
        "https:///a",
        "https://-x/a",
        "ssh://-oProxyCommand=id/a",
        "https://ho st/a",
        'https://host/"a',
        "https://host/a\nb",
        "https://host:99999/a",
        "https://host/a#-x",
        "https://host/a#a..b",
        "https://host/a#x y",
        "https://[::1/a",
        "git@-oX:a",
    ],
)
def test_no_other_address_is_fetched_from(text: str) -> None:
    with pytest.raises(Invalid):
        git_address(text)
    with pytest.raises(Invalid):
        file_address(text.partition("#")[0] if "#" not in text else "")


@pytest.mark.parametrize(
    "host",
    ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "0.0.0.0", "10.1.2.3", "192.168.1.1", "172.17.0.1",
     "169.254.169.254", "100.64.0.1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "224.0.0.1", "0x7f.1",
     "2130706433", ""],
)  # fmt: skip
async def test_internal_hosts_are_refused_unless_an_admin_allows_them(host: str) -> None:
    with pytest.raises(Refused, match="inside"):
        await addresses.allow(host, ())
    if host == "10.1.2.3":
        await addresses.allow(host, ["10.0.0.0/8"])
        await addresses.allow("git.corp.localhost", ["git.corp.localhost"])


async def test_public_addresses_are_not() -> None:
    for host in ("1.1.1.1", "[2606:4700::1111]"):
        await addresses.allow(host, ())
    assert not addresses.public(ipaddress.ip_address("2002:7f00:1::"))


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("ada/blog:2", "docker.io/ada/blog:2"),
        ("ghcr.io/ada/blog", "ghcr.io/ada/blog:latest"),
        ("localhost:5000/x:1", "localhost:5000/x:1"),
        (f"x@sha256:{'a' * 64}", f"docker.io/library/x:latest@sha256:{'a' * 64}"),
    ],
)
def test_an_images_name_is_read_as_docker_does(text: str, whole: str) -> None:
    assert reference(text).whole == whole


@pytest.mark.parametrize("text", ["", "-x", "A", "UPPER/case", "a b", "a:b:c", "x@sha256:1", "../x", "a//b", "x" * 500])
def test_other_texts_are_no_images(text: str) -> None:
    with pytest.raises(Invalid):
        reference(text)


def test_processes_are_given_as_words() -> None:
    assert processes(("web=node server.js --a=1", "worker=./run")) == {
        "web": "node server.js --a=1",
        "worker": "./run",
    }
    for wrong in ("web", "web=", "we b=x", "web=a\nb", "=x"):
        with pytest.raises(Invalid):
            processes((wrong,))
    assert without_login("https://ada:s@host/x?sig=s") == "https://host/x"


# webhooks

BODY = json.dumps({"ref": "refs/heads/main", "after": SHA}).encode()


def headers(provider: str, body: bytes = BODY, secret: str = "s", **more: str) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    known = {
        "github": {"x-github-event": "push", "x-github-delivery": "1", "x-hub-signature-256": f"sha256={signature}"},
        "gitlab": {"x-gitlab-event": "Push Hook", "x-gitlab-event-uuid": "1", "x-gitlab-token": secret},
        "gitea": {"x-gitea-event": "push", "x-gitea-delivery": "1", "x-gitea-signature": signature},
    }
    return known[provider] | {"content-type": "application/json"} | more


@pytest.mark.parametrize("provider", list(webhook.PROVIDERS))
def test_a_genuine_push_is_told_from_a_forged_one(provider: str) -> None:
    assert webhook.genuine(provider, headers(provider), BODY, "s")
    assert not webhook.genuine(provider, headers(provider, secret="other"), BODY, "s")
    assert not webhook.genuine(provider, {}, BODY, "s")
    if webhook.PROVIDERS[provider].signed:
        assert not webhook.genuine(provider, headers(provider), BODY + b" ", "s")
    event = webhook.read(provider, headers(provider), BODY, "main")
    assert (event.commit, event.ignored, event.key) == (SHA, "", "1")


@pytest.mark.parametrize(
    ("body", "more", "ignored"),
    [
        (BODY, {"x-github-event": "ping"}, "ping"),
        (BODY, {"x-github-event": "issues"}, "event issues"),
        ({"ref": "refs/heads/other", "after": SHA}, {}, "branch other"),
        ({"ref": "refs/tags/main", "after": SHA}, {}, "branch refs/tags/main"),
        ({"ref": "refs/heads/main", "after": "0" * 40}, {}, "the branch was deleted"),
        ({"ref": "refs/heads/main", "after": SHA, "deleted": True}, {}, "the branch was deleted"),
    ],
)
def test_what_deploys_nothing_is_ignored(body: object, more: dict[str, str], ignored: str) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert webhook.read("github", headers("github") | more, data, "main").ignored == ignored


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b"", {}),
        (b"[]", {}),
        (b"{" * 100_000, {}),
        (b"\xff", {}),
        (b'{"ref": "refs/heads/main", "after": "--upload-pack=id"}', {}),
        (BODY, {"content-type": "application/x-www-form-urlencoded"}),
        (b"payload=" + b"%7B" * 10, {"content-type": webhook.FORM}),
        (b"&".join([b"payload={}"] * 20), {"content-type": webhook.FORM}),
        (b"payload=\xff", {"content-type": webhook.FORM}),
        (BODY, {"content-type": "text/plain"}),
        (BODY, {"x-github-event": ""}),
    ],
)
def test_what_is_no_delivery_is_refused(body: bytes, more: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        webhook.read("github", headers("github") | more, body, "main")


def test_a_form_is_read_as_github_sends_it_unless_told_otherwise() -> None:
    form = urlencode({"payload": BODY.decode()}).encode()
    event = webhook.read("github", headers("github") | {"content-type": webhook.FORM}, form, "main")
    assert event.commit == SHA


def test_a_status_goes_where_its_provider_wants_it() -> None:
    def asked(provider: str, api: str) -> webhook.Status:
        return webhook.status(provider, api, "https://h/ada/blog.git", SHA, "t", "failure", "no", "http://x")

    github = asked("github", webhook.api_of("github", "github.com"))
    assert github.url == f"https://api.github.com/repos/ada/blog/statuses/{SHA}"
    assert github.body["state"] == "failure" and github.headers == {"Authorization": "Bearer t"}
    gitlab = asked("gitlab", webhook.api_of("gitlab", "gitlab.com"))
    assert gitlab.url == f"https://gitlab.com/api/v4/projects/ada%2Fblog/statuses/{SHA}"
    assert gitlab.body["state"] == "failed" and gitlab.headers == {"PRIVATE-TOKEN": "t"}
    gitea = asked("gitea", webhook.api_of("gitea", "git.corp.example"))
    assert gitea.url == f"https://git.corp.example/api/v1/repos/ada/blog/statuses/{SHA}"
    assert gitea.headers == {"Authorization": "token t"}
    assert [webhook.provider_of(host) for host in ("github.com", "gitlab.x", "codeberg.org")] == [
        "github",
        "gitlab",
        "gitea",
    ]


def hook(store: Store) -> Webhook:
    user = Accounts(store).add_user("ada")
    Apps(store).create("blog", user)
    return Webhooks(store).add(
        "blog", user.id, url="https://h/x", branch="main", provider="github", api="https://h", token="t0ken"
    )


def test_a_delivery_that_came_before_is_known_by_its_id_and_by_what_it_says(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made, hooks = hook(store), Webhooks(store)
    assert made.secret not in repr(made) and made.token not in repr(made) and made.secret not in made.slug
    hooks.receive(made, "1", "d", event="push", commit=SHA, outcome="deploying")
    assert hooks.seen(made, "1", "") and hooks.seen(made, "2", "d")
    assert not hooks.seen(made, "2", "") and not hooks.seen(made, "2", "e")
    for number in range(2, 250):
        hooks.receive(made, str(number), "", event="ping", commit="", outcome="pong")
    assert len(hooks.deliveries("blog", limit=1000)) == 200


def test_an_app_and_who_added_it_take_the_webhook_along(tmp_path: Path) -> None:
    store = Store(tmp_path)
    hook(store)
    Apps(store).rename(Apps(store).get("blog"), "log")
    assert len(Webhooks(store).of("log")) == 1
    Apps(store).delete(Apps(store).get("log"))
    assert Webhooks(store).of("log") == []


# the client's side


def test_a_folder_goes_as_git_would_take_it(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    (folder / "sub").mkdir(parents=True)
    for name, text in {"a ü": "1", ".env": "S=1", ".gitignore": "*.log\n", "x.log": "", "sub/b": "2"}.items():
        (folder / name).write_text(text)
    (folder / "link").symlink_to("a ü")
    chosen = pack.files(folder, everything=False)
    assert chosen.names == (".gitignore", "a ü", "link", "sub/b") and chosen.left_out == (".env",)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-f", "x.log", "a ü"], cwd=folder, check=True)
    (folder / "a ü").unlink()
    chosen = pack.files(folder, everything=True)
    assert chosen.names == (".env", ".gitignore", "link", "sub/b", "x.log")
    data = io.BytesIO()
    pack.write(chosen, data)
    data.seek(0)
    with tarfile.open(fileobj=data) as made:
        assert [member.name for member in made] == list(chosen.names)
        assert {member.uid for member in made.getmembers()} == {0}


def test_a_folder_without_git_on_the_machine_goes_whole_but_for_its_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("")
    (tmp_path / "a").write_text("")
    monkeypatch.setenv("PATH", "/nowhere")
    assert pack.files(tmp_path, everything=False).names == ("a",)
    with pytest.raises(Invalid, match="no files"):
        (tmp_path / "a").unlink()
        pack.files(tmp_path, everything=False)


def test_a_commit_without_its_parents_is_noted_as_shallow(tmp_path: Path) -> None:
    repos = Repos(tmp_path)
    repos.path("blog").parent.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", str(repos.path("blog"))], check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]

    def git(*words: str) -> str:
        argv = ["git", f"--git-dir={repos.path('blog')}", *identity, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    tree = git("hash-object", "-t", "tree", "-w", "/dev/null")
    first = git("commit-tree", tree, "-m", "1")
    second = git("commit-tree", tree, "-m", "2", "-p", first)
    repos.graft("blog", second)
    assert not (repos.path("blog") / "shallow").exists()
    (repos.path("blog") / "objects" / first[:2] / first[2:]).unlink()
    repos.graft("blog", second)
    repos.graft("blog", second)
    assert (repos.path("blog") / "shallow").read_text() == f"{second}\n"
    assert git("rev-list", second) == second
