"""Deploys without a push, on a real server: archives, folders, repositories, images, webhooks."""

import contextlib
import hashlib
import hmac
import io
import json
import secrets
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mothership.engine import Engine
from mothership.errors import TooLarge
from tests.engine.forge import LOGIN, Forge
from tests.engine.server import Server, free_ports, until
from tests.engine.test_client import mothership

BRIDGE = "172.17.0.1"
ELSEWHERE = "127.0.0.2"
PASSWORD = "$2b$05$v6RaY.STBa7jmXlPBFEaPuBP7JHOHpd7eL4NfM4ZUIZ8LL8Z75IvK"
"""LOGIN's password as htpasswd(1) writes it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership whose admin has allowed two internal hosts, and small uploads and images only."""
    root = tmp_path_factory.mktemp("doors")
    allowed = {"internal_hosts": [BRIDGE, ELSEWHERE], "insecure_tokens": True}
    with Server(root, f"mstd{worker_id}", **allowed, max_input_size=20, boot_timeout=60, build_disk=300) as made:
        yield made


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    made = Forge(tmp_path_factory.mktemp("forge"), BRIDGE)
    yield made
    made.close()


def site(text: str, **more: str) -> dict[str, str]:
    return {"index.html": f"<html>{text}", **more}


def tarball(files: dict[str, str], *members: tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as tar:  # type: ignore[call-overload]
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
        for member in members:
            tar.addfile(member)
    return data.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def published(server: Server, forge: Forge, name: str, folder: Path, files: dict[str, str]) -> str:
    """Have a repository at the forge; its commit."""
    commit = server.commit(folder, files)
    where = forge.root / f"{name}.git"
    if not where.exists():
        subprocess.run(["git", "init", "-q", "-b", "main", "--bare", str(where)], check=True)
    assert server.git(folder, "push", "-q", str(where), "main").code == 0
    return commit


def token(server: Server) -> str:
    return server.ssh(f"tokens:create {secrets.token_hex(4)}").stdout.strip()


def post(server: Server, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{server.http_port}{path}", data=body, method="POST")
    for name, value in {"Host": "mothership.localhost", **headers}.items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def quiet(server: Server, app: str) -> None:
    """Nothing of a refused source is left."""
    assert not server.quarantines()
    assert not list((server.data / "builds" / ".running").glob("upload-*"))
    assert not server.ref(app, "refs/mothership/deploys")


# archives


def test_a_tarball_over_ssh_serves_and_a_push_a_redeploy_and_a_rollback_go_on_from_there(
    server: Server, folder: Path
) -> None:
    server.commit(folder, site("pushed"))
    assert server.push(folder, "tarred").code == 0
    pushed = server.ref("tarred")
    packed = tarball(site("unpacked"))
    done = server.ssh("deploy tarred --tar - --name app-1.2.tar.gz", stdin=packed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Unpacking app-1.2.tar.gz" in done.stdout and "unpacked" in server.get("tarred").body
    assert server.ref("tarred") == pushed
    newest = server.releases("tarred")[0]
    assert newest["description"] == "Deploy app-1.2.tar.gz" and newest["user"] == "ada"
    build = json.loads(server.ssh("builds tarred --json").stdout)[0]
    assert build["status"] == "succeeded" and build["source"] == "tar app-1.2.tar.gz"
    commit = server.ref("tarred", f"refs/mothership/deploys/{build['build']}")
    assert commit.startswith(build["commit"]) and not server.quarantines()
    said = subprocess.run(
        ["git", f"--git-dir={server.data}/repos/tarred.git", "log", "-1", "--format=%an: %s", commit],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "ada: Deploy of app-1.2.tar.gz"

    server.ssh("config:set tarred A=1")
    again = server.ssh("redeploy tarred")
    assert again.returncode == 0 and "unpacked" in server.get("tarred").body, again.stdout + again.stderr
    assert server.ssh("redeploy tarred --branch").returncode == 0 and "pushed" in server.get("tarred").body
    back = server.ssh("rollback tarred v2")
    assert back.returncode == 0 and "unpacked" in server.get("tarred").body, back.stderr
    server.commit(folder, site("pushed again"))
    assert server.push(folder, "tarred").code == 0 and "pushed again" in server.get("tarred").body


def test_a_single_folder_is_the_root_and_a_first_archive_makes_the_app(server: Server) -> None:
    header = {"pax_global_header": "52 comment=0123"}
    packed = tarball({**header, **{f"blog-0123/{name}": text for name, text in site("from a folder").items()}})
    done = server.ssh("deploy foldered --tar -", stdin=packed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "from a folder" in server.get("foldered").body


@pytest.mark.parametrize(
    ("what", "packed", "reason"),
    [
        ("nothing", b"", "empty"),
        ("no archive", b"hello there" * 1000, "not an archive"),
        ("no files", tarball({}), "no files"),
        ("a parent", tarball({"../../etc/passwd": "x"}), "leads out"),
        ("the root", tarball({"/etc/passwd": "x"}), "leads out"),
        ("a link out", tarball(site("x"), special("l", tarfile.SYMTYPE, "../../../etc/passwd")), "leads out"),
        ("a device", tarball(site("x"), special("null", tarfile.CHRTYPE)), "device"),
        ("a bomb", tarball({"zeros": "\0" * 90_000_000}), "more than 80 MiB"),
        ("half of it", tarball(site("x", more=secrets.token_hex(50_000)))[:-9000], "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_archive_is_refused_and_leaves_nothing(server: Server, what: str, packed: bytes, reason: str) -> None:
    done = server.ssh("deploy unpackable --tar -", stdin=packed)
    assert done.returncode == 2 and reason in done.stderr, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and server.releases("unpackable") == []
    quiet(server, "unpackable")


def test_an_upload_that_is_too_large_is_refused_while_it_comes(server: Server) -> None:
    done = server.ssh("deploy unpackable --tar -", stdin=secrets.token_bytes(21 << 20))
    assert done.returncode == 2 and "more than the 20 MiB" in done.stderr
    quiet(server, "unpackable")


def test_a_deploy_that_fails_leaves_what_served_and_no_commit(server: Server) -> None:
    assert server.ssh("deploy sturdy --tar -", stdin=tarball(site("fine"))).returncode == 0
    bad = server.ssh("deploy sturdy --tar -", stdin=tarball({"Procfile": "web: exit 1", "requirements.txt": ""}))
    assert bad.returncode == 1 and "v1 still serves" in bad.stdout, bad.stdout + bad.stderr
    assert "fine" in server.get("sturdy").body and not server.quarantines()
    refs = list((server.data / "repos/sturdy.git/refs/mothership/deploys").iterdir())
    assert len(refs) == 1
    assert [build["status"] for build in json.loads(server.ssh("builds sturdy --json").stdout)] == [
        "failed",
        "succeeded",
    ]


def test_only_deployers_may(server: Server) -> None:
    assert server.ssh("apps:create guarded").returncode == 0
    bob = server.add_user("bob")
    assert server.ssh("deploy guarded --tar -", key=bob, stdin=tarball(site("x"))).returncode == 1
    server.ssh("access:add guarded bob --role viewer")
    viewer = server.ssh("deploy guarded --tar -", key=bob, stdin=tarball(site("x")))
    assert viewer.returncode == 1 and "is for a deployer" in viewer.stderr
    server.ssh("access:add guarded bob --role deployer")
    assert server.ssh("deploy guarded --tar -", key=bob, stdin=tarball(site("bob's"))).returncode == 0
    assert "deploy" in server.ssh("audit guarded").stdout


def test_a_detached_deploy_goes_on_and_can_be_followed(server: Server) -> None:
    started = server.ssh("deploy behind --tar - --detach", stdin=tarball(site("behind")))
    assert started.returncode == 0 and "Taken over by the server" in started.stdout
    build = json.loads(server.ssh("builds behind --json").stdout)[0]["build"]
    assert until(lambda: server.ssh(f"builds:output behind {build} -f").returncode == 0)
    assert "behind" in server.get("behind").body and not list((server.data / "builds/.running").glob("upload-*"))


def test_a_deploy_can_be_cancelled_and_may_be_cut_off_by_the_daemons_death(server: Server) -> None:
    assert server.ssh("deploy mortal --tar -", stdin=tarball(site("alive"))).returncode == 0
    slow = tarball(site("never", Procfile="release: sleep 120\n"))
    refs = server.data / "repos/mortal.git/refs/mothership/deploys"

    def untouched() -> bool:
        left = list((server.data / "builds" / ".running").glob("upload-*"))
        return not left and not server.quarantines() and len(list(refs.iterdir())) == 1

    for end in ("cancel", "kill"):
        assert server.ssh("deploy mortal --tar - --detach", stdin=slow).returncode == 0
        build = json.loads(server.ssh("builds mortal --json").stdout)[0]["build"]
        assert until(lambda: "sleep 120" in server.ssh(f"builds:output mortal {build}").stdout, seconds=60)  # noqa: B023
        if end == "cancel":
            assert server.ssh(f"builds:cancel mortal {build}").returncode == 0
        else:
            server.kill()
            server.start()
        assert json.loads(server.ssh("builds mortal --json").stdout)[0]["status"] == "cancelled"
        assert until(untouched) and "alive" in server.get("mortal").body
    assert server.ssh("deploy mortal --tar -", stdin=tarball(site("again"))).returncode == 0


# the client


def test_the_client_sends_a_folder_as_git_would_and_keeps_env_at_home(server: Server, folder: Path) -> None:
    server.git(folder, "init", "-q")
    server.git(folder, "remote", "add", "mothership", server.remote("folders"))
    for name, text in {**site("sent"), ".env": "SECRET=1", ".gitignore": "ignored", "ignored": "x"}.items():
        (folder / name).write_text(text)
    done = mothership(server, folder, "deploy", "--dir", ".")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Left out: .env" in done.stderr and "sent" in server.get("folders").body
    assert server.get("folders", "/ignored").status == 404
    (folder / "site.tgz").write_bytes(tarball(site("from a file")))
    done = mothership(server, folder, "deploy", "--tar", "site.tgz")
    assert done.returncode == 0 and "from a file" in server.get("folders").body, done.stdout + done.stderr
    assert server.releases("folders")[0]["description"] == "Deploy site.tgz"
    assert mothership(server, folder, "deploy", "--tar", "nowhere.tgz").returncode == 1
    assert mothership(server, folder, "deploy").returncode == 2


# over HTTP


def test_the_api_takes_an_archive_as_its_body_and_streams_the_build(server: Server) -> None:
    login = {"Authorization": f"Bearer {token(server)}"}
    headers = login | {"Content-Type": "application/gzip", "Accept": "text/event-stream"}
    path = "/api/v1/apps/posted/deploy"
    status, said = post(server, f"{path}?name=posted.tgz", tarball(site("posted")), headers)
    assert status == 200 and "Unpacking posted.tgz" in said and said.rstrip().endswith('data: {"exit": 0}'), said
    assert "posted" in server.get("posted").body
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        packed.writestr("top/index.html", "<html>zipped")
    status, said = post(server, path, data.getvalue(), login | {"Content-Type": "application/zip"})
    assert status == 200 and "zipped" in server.get("posted").body, said
    assert post(server, path, b"nonsense" * 99, login | {"Content-Type": "application/x-tar"})[0] == 400
    large = post(server, path, b"\0" * (21 << 20), login | {"Content-Type": "application/x-tar"})
    assert large[0] == 413 and json.loads(large[1])["type"].endswith("too-large")
    assert post(server, path, b"", {"Content-Type": "application/gzip"})[0] == 401
    quiet(server, "nothing")


# what the server fetches


def test_a_repository_is_pulled_by_branch_tag_and_with_a_password(server: Server, folder: Path, forge: Forge) -> None:
    first = published(server, forge, "site", folder, site("pulled"))
    done = server.ssh(f"deploy pulled --git {forge.url}/site.git")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pulled" in server.get("pulled").body
    info = json.loads(server.ssh("releases:info pulled --json").stdout)
    assert info["commit"] == first
    server.git(folder, "tag", "v1")
    server.git(folder, "push", "-q", str(forge.root / "site.git"), "v1")
    second = published(server, forge, "site", folder, site("pulled twice"))
    done = server.ssh(f"deploy pulled --git {forge.url}/private/site.git#main")
    assert done.returncode == 1 and "could not be fetched" in done.stderr
    done = server.ssh(f"deploy pulled --git {forge.url.replace('//', f'//{LOGIN}@')}/private/site.git#main")
    assert done.returncode == 0 and "pulled twice" in server.get("pulled").body, done.stdout + done.stderr
    assert "sesame" not in done.stdout + done.stderr + server.ssh("audit pulled").stdout + server.log()
    done = server.ssh(f"deploy pulled --git {forge.url}/site.git#v1")
    assert done.returncode == 0 and "<html>pulled" in server.get("pulled").body
    assert server.ssh("redeploy pulled").returncode == 0
    # The whole history can still be pushed on top, and fetched.
    assert server.push(folder, "pulled").code == 0 and server.ref("pulled") == second
    assert server.git(folder, "fetch", server.remote("pulled"), "main").code == 0
    done = server.ssh(f"deploy pulled --git {forge.url}/site.git#nowhere")
    assert done.returncode == 1 and "could not be fetched" in done.stderr and not server.quarantines()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "/var/lib/mothership",
        "ext::sh -c id",
        "ssh://localhost/x.git",
        "http://127.0.0.1:7878/v2/",
        "http://169.254.169.254/latest.git",
        "http://[::1]/x.git",
        "https://0.0.0.0/x.git",
        "ssh://-oProxyCommand=id/x.git",
        "http://10.0.0.1/x.git",
    ],
)
def test_nothing_is_pulled_from_inside(server: Server, url: str) -> None:
    done = server.ssh(f"deploy inside --git '{url}'")
    assert done.returncode in (1, 2) and "Fetching" not in done.stderr, done.stdout + done.stderr
    assert "is not a URL" in done.stderr or "inside of the server's own network" in done.stderr


def test_submodules_come_along_by_a_push_and_by_a_pull(
    server: Server, folder: Path, tmp_path: Path, forge: Forge
) -> None:
    inner, theme = tmp_path / "inner", tmp_path / "theme"
    for path in (inner, theme):
        path.mkdir()
    published(server, forge, "inner", inner, {"deep.txt": "deep"})
    server.commit(theme, {"style.css": "body"})
    assert server.git(theme, "submodule", "--quiet", "add", f"{forge.url}/inner.git", "inner").code == 0
    server.git(theme, "config", "-f", ".gitmodules", "submodule.inner.url", "../inner.git")
    published(server, forge, "theme", theme, {})
    server.commit(folder, site("with submodules"))
    assert server.git(folder, "submodule", "--quiet", "add", f"{forge.url}/theme.git", "my theme").code == 0
    commit = server.commit(folder)
    pushed = server.push(folder, "modular")
    assert pushed.code == 0 and "Submodule my theme" in pushed.text, pushed.text
    assert f"Building {commit[:7]}" in pushed.text
    assert server.get("modular", "/my%20theme/style.css").body == "body"
    assert server.get("modular", "/my%20theme/inner/deep.txt").body == "deep"
    again = server.ssh("redeploy modular")
    assert again.returncode == 0 and "Submodule" not in again.stdout
    assert server.ref("modular") == commit and not server.quarantines()
    published(server, forge, "whole", folder, site("pulled whole"))
    done = server.ssh(f"deploy modular --git {forge.url}/whole.git#main")
    assert done.returncode == 0 and "pulled whole" in server.get("modular").body, done.stdout + done.stderr
    assert server.get("modular", "/my%20theme/inner/deep.txt").body == "deep"
    server.git(folder, "config", "-f", ".gitmodules", "submodule.my theme.url", "file:///etc")
    (theme / "more").write_text("more")
    server.commit(theme)
    lost = server.git(theme, "rev-parse", "HEAD").text.strip()
    server.git(folder, "update-index", "--cacheinfo", f"160000,{lost},my theme")
    assert server.git(folder, "commit", "-q", "-m", "x", "--", ".gitmodules").code == 0
    server.git(folder, "update-index", "--cacheinfo", f"160000,{lost},my theme")
    server.git(folder, "commit", "-q", "-m", "y")
    refused = server.push(folder, "modular")
    assert refused.code == 1 and "is not a URL to fetch from" in refused.text, refused.text


def test_an_archive_is_downloaded(server: Server, forge: Forge) -> None:
    (forge.root / "site.tgz").write_bytes(tarball({f"top/{k}": v for k, v in site("downloaded").items()}))
    done = server.ssh(f"deploy downloaded --url {forge.url}/site.tgz?signature=sesame")
    assert done.returncode == 0 and "downloaded" in server.get("downloaded").body, done.stdout + done.stderr
    assert "sesame" not in json.dumps(server.releases("downloaded"))
    assert server.ssh(f"deploy downloaded --url {forge.url}/none.tgz").returncode == 1


def test_a_private_repository_is_pulled_by_the_apps_key(server: Server, folder: Path, tmp_path: Path) -> None:
    published_over_ssh = _SshForge(tmp_path, folder, server, site("by key"))
    with published_over_ssh as url:
        server.ssh("apps:create keyed")
        assert server.ssh(f"deploy keyed --git {url}").returncode == 1
        public = server.ssh("deploykey keyed").stdout
        assert public.startswith("ssh-ed25519 ") and server.ssh("deploykey keyed").stdout == public
        published_over_ssh.allow(public)
        done = server.ssh(f"deploy keyed --git {url}")
        assert done.returncode == 0 and "by key" in server.get("keyed").body, done.stdout + done.stderr
        assert (server.data / "mothership.db").stat().st_mode & 0o777 == 0o600


def test_a_private_buildpack_is_fetched_by_the_apps_key_which_the_build_does_not_see(
    server: Server, folder: Path, tmp_path: Path
) -> None:
    look = "find / -name key -size -3 2>/dev/null | xargs grep -l PRIVATE | sed s,^,SEEN,"
    seen = f"#!/bin/bash\necho compiled in private; {look}\n"
    scripts = {"bin/detect": "#!/bin/bash\necho Private\n", "bin/compile": f"{seen}true\n"}
    pack = tmp_path / "pack"
    pack.mkdir()
    with _SshForge(tmp_path, pack, server, scripts) as url:
        server.ssh("apps:create keyed-pack")
        server.commit(folder, {".buildpacks": f"{url}#main\n"})
        assert server.push(folder, "keyed-pack", "-o", "dry-run", "main").code == 1
        (tmp_path / "authorized").write_text(server.ssh("deploykey keyed-pack").stdout)
        pushed = server.push(folder, "keyed-pack", "-o", "dry-run", "main")
    assert "Private app detected" in pushed.text and "compiled in private" in pushed.text, pushed.text
    assert "built, not deployed" in pushed.text and "SEEN" not in pushed.text, pushed.text


class _SshForge:
    """Git over SSH for those whose keys are allowed: a real sshd-like server on the bridge."""

    def __init__(self, root: Path, folder: Path, server: Server, files: dict[str, str]) -> None:
        server.commit(folder, files)
        self._repository = root / "keyed.git"
        subprocess.run(["git", "clone", "-q", "--bare", str(folder), str(self._repository)], check=True)
        self._keys = root / "authorized"
        self._keys.write_text("")
        self._key = root / "host"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key)], check=True)
        (self._port,) = free_ports(1)

    def allow(self, public: str) -> None:
        self._keys.write_text(public)

    def __enter__(self) -> str:
        program = (
            "import asyncio, asyncssh, subprocess, sys\n"
            "async def serve(process):\n"
            "    argv = ['git', '-c', 'safe.directory=*', 'upload-pack', sys.argv[2]]\n"
            "    child = await asyncio.create_subprocess_exec(*argv, stdin=-1, stdout=-1)\n"
            "    await process.redirect(stdin=child.stdin, stdout=child.stdout)\n"
            "    process.exit(await child.wait())\n"
            "class Door(asyncssh.SSHServer):\n"
            "    def connection_made(self, conn): self.conn = conn\n"
            "    def begin_auth(self, user):\n"
            "        text = open(sys.argv[4]).read()\n"
            "        if text: self.conn.set_authorized_keys(sys.argv[4])\n"
            "        return True\n"
            "async def main():\n"
            "    await asyncssh.listen(sys.argv[1], int(sys.argv[5]), server_factory=Door,\n"
            "        server_host_keys=[sys.argv[3]], process_factory=serve, encoding=None)\n"
            "    await asyncio.Event().wait()\n"
            "asyncio.run(main())\n"
        )
        import sys

        argv = [sys.executable, "-c", program, BRIDGE, str(self._repository), str(self._key), str(self._keys)]
        self._process = subprocess.Popen([*argv, str(self._port)])
        time.sleep(1.5)
        return f"ssh://git@{BRIDGE}:{self._port}/keyed.git"

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


# images


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another registry with an image `shop/site:1` that EXPOSEs a port; its host and port."""
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("images")
    config = folder / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: /tmp/r}}}}\nhttp: {{addr: '{ELSEWHERE}:{port}'}}\n"
        "auth: {htpasswd: {realm: shop, path: /htpasswd}}\n"
    )
    (folder / "htpasswd").write_text(f"ada:{PASSWORD}\n")
    container = f"doors-registry-{port}"
    argv = ["docker", "run", "-d", "--rm", "--name", container, "--network", "host", "-v", f"{config}:/registry.yml:ro"]
    argv += ["-v", f"{folder}/htpasswd:/htpasswd:ro"]
    subprocess.run(
        [*argv, "--entrypoint", "docker-registry", "mothership/platform:heroku-24", "serve", "/registry.yml"],
        check=True,
        capture_output=True,
    )
    (folder / "Dockerfile").write_text(
        "FROM mothership/stack-run:heroku-24\nWORKDIR /srv\nRUN echo '<html>an image' > index.html\nUSER 1000\n"
        'EXPOSE 8080\nCMD ["python3", "-m", "http.server", "8080"]\n'
    )
    (folder / "big").write_text(
        f"FROM {ELSEWHERE}:{port}/shop/site:1\nUSER 0\nRUN head -c 150000000 /dev/urandom > random\n"
    )
    (folder / ".dockerignore").write_text("*\n")
    try:
        name, password = LOGIN.split(":")
        login = ["docker", "--config", str(folder), "login", "-u", name, "--password-stdin", f"{ELSEWHERE}:{port}"]
        assert until(lambda: not subprocess.run(login, input=password.encode(), capture_output=True).returncode)
        made = {"site": "Dockerfile", "big": "big"}
        for image, file in made.items():
            where = f"{ELSEWHERE}:{port}/shop/{image}:1"
            built = ["docker", "build", "-q", "-t", where, "-f", f"{folder}/{file}", str(folder)]
            subprocess.run(built, check=True, capture_output=True)
            subprocess.run(["docker", "--config", str(folder), "push", "-q", where], check=True, capture_output=True)
        subprocess.run(
            ["docker", "rmi", *(f"{ELSEWHERE}:{port}/shop/{image}:1" for image in made)],
            check=True,
            capture_output=True,
        )
        yield f"{ELSEWHERE}:{port}"
    finally:
        subprocess.run(["docker", "rm", "-f", container], check=False, capture_output=True)


def test_an_existing_image_serves_by_its_own_command_or_by_one_that_is_given(server: Server, images: str) -> None:
    server.ssh("apps:create imaged")
    stranger = server.ssh(f"deploy imaged --image {images}/shop/site:1")
    assert stranger.returncode == 1 and "registries:add" in stranger.stderr
    login = server.ssh(f"registries:add imaged {images} ada", stdin=b"sesame\n")
    assert login.returncode == 0 and "sesame" not in server.ssh("registries imaged --json").stdout, login.stderr
    done = server.ssh(f"deploy imaged --image {images}/shop/site:1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "an image" in server.get("imaged").body
    assert server.releases("imaged")[0]["description"] == f"Deploy {images}/shop/site:1"
    command = "cd /tmp && echo hi > index.html && python3 -m http.server $PORT"
    done = server.ssh(
        f"deploy imaged --image {images}/shop/site:1 --process web='{command}' --process beat='sleep 999'"
    )
    assert done.returncode == 0 and "web, beat" in done.stdout, done.stdout + done.stderr
    assert server.get("imaged").body == "hi\n"
    again = server.ssh("redeploy imaged")
    assert again.returncode == 0 and server.get("imaged").body == "hi\n", again.stdout + again.stderr
    assert server.ssh("rollback imaged v1").returncode == 0 and "an image" in server.get("imaged").body
    kept = subprocess.run(["docker", "images", "-q", f"{images}/shop/site"], capture_output=True, check=True)
    assert not kept.stdout.strip()


async def test_an_image_that_is_too_large_is_refused_and_gone(server: Server, images: str) -> None:
    server.ssh("apps:create huge")
    server.ssh(f"registries:add huge {images} ada", stdin=b"sesame\n")
    done = server.ssh(f"deploy huge --image {images}/shop/big:1")
    assert done.returncode == 1 and "is larger than 300 MB" in done.stderr, done.stderr
    user, password = LOGIN.split(":")
    with pytest.raises(TooLarge):
        await Engine().pull(f"{images}/shop/big:1", {"username": user, "password": password}, most=1_000_000)
    kept = subprocess.run(["docker", "images", "-q", f"{images}/shop/big"], capture_output=True, check=True)
    assert not kept.stdout.strip()


def test_images_are_not_taken_from_the_servers_own_registry_or_from_inside(server: Server, images: str) -> None:
    for name in (
        f"{server.settings.registry}/imaged:latest",
        f"registry.example.com:{server.settings.registry_port}/imaged",
        "localhost/x/y",
        "10.0.0.1:5000/x",
        "-oops",
        "UPPER/case",
    ):
        done = server.ssh(f"deploy stolen --image '{name}'")
        assert done.returncode in (1, 2) and "Pulling" not in done.stdout, done.stdout
    done = server.ssh(f"deploy stolen --image {images}/shop/none:1")
    assert done.returncode == 1 and "could not be pulled" in done.stderr and "Traceback" not in done.stderr


# webhooks


def delivery(hook: str, secret: str, body: dict[str, object], **more: str) -> tuple[bytes, dict[str, str]]:
    data = json.dumps(body).encode()
    signature = hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": secrets.token_hex(8), "Content-Type": "application/json"}
    return data, headers | {"X-Hub-Signature-256": f"sha256={signature}"} | more


def test_a_push_elsewhere_deploys_and_the_provider_hears_of_it(server: Server, folder: Path, forge: Forge) -> None:
    first = published(server, forge, "hooked", folder, site("hooked"))
    server.ssh("apps:create hooked")
    options = f"--url {forge.url}/hooked.git --branch main --provider github --api {forge.url}/api --token sesame42"
    added = server.ssh(f"webhooks:add hooked {options}")
    assert added.returncode == 0, added.stderr
    url = added.stdout.split("URL:")[1].split()[0]
    secret = added.stdout.split("Secret:")[1].split()[0]
    path = "/hooks/" + url.partition("/hooks/")[2]
    assert secret not in server.ssh("webhooks hooked --json").stdout + path

    def send(commit: str, ref: str = "refs/heads/main", **more: str) -> tuple[int, str]:
        return post(
            server, path, *delivery(path, secret, {"ref": ref, "after": commit, "n": secrets.token_hex(4)}, **more)
        )

    assert send(first, **{"X-GitHub-Event": "ping"})[1] == '{"outcome": "pong"}'
    assert send(first, **{"X-Hub-Signature-256": "sha256=" + "0" * 64})[0] == 404
    assert send(first, ref="refs/heads/other") == (202, '{"outcome": "ignored: branch other"}')
    assert "deleted" in send("0" * 40)[1]
    data, headers = delivery(path, secret, {"ref": "refs/heads/main", "after": first})
    status, said = post(server, path, data, headers)
    assert status == 202 and json.loads(said)["outcome"] == "deploying"
    assert "came before" in post(server, path, data, headers)[1]
    assert "came before" in post(server, path, data, headers | {"X-GitHub-Delivery": "another"})[1]
    assert until(lambda: [s["state"] for s in forge.statuses] == ["pending", "success"], seconds=60), forge.statuses
    assert "hooked" in server.get("hooked").body
    assert forge.statuses[0]["path"] == f"/api/repos/hooked/statuses/{first}"
    assert forge.statuses[0]["login"] == "Bearer sesame42"
    assert "hooked.localhost" in forge.statuses[1]["target_url"]

    forge.broken = True
    bad = published(server, forge, "hooked", folder, {"index.html": "", "Procfile": "web exit"})
    assert send(bad)[0] == 202
    assert until(lambda: "failure" in [s["state"] for s in forge.statuses], seconds=60)
    assert "hooked" in server.get("hooked").body
    rows = json.loads(server.ssh("webhooks:deliveries hooked --json").stdout)
    assert [row["outcome"] for row in rows][:2] == ["failed", "succeeded"] and rows[0]["commit"] == bad[:12]
    assert secret not in server.log() and "sesame42" not in server.log() + server.ssh("audit hooked").stdout
    assert server.ssh(f"webhooks:remove hooked {rows[0]['webhook']}").returncode == 0
    assert send(first)[0] == 404


@pytest.mark.parametrize(
    ("provider", "path", "login", "states"),
    [
        ("gitlab", "projects/{}/statuses", "sesame42", ["running", "success"]),
        ("gitea", "repos/{}/statuses", "token sesame42", ["pending", "success"]),
    ],
)
def test_other_providers_prove_who_they_are_and_hear_of_it_in_their_own_ways(
    server: Server, folder: Path, forge: Forge, provider: str, path: str, login: str, states: list[str]
) -> None:
    app = f"by-{provider}"
    forge.statuses.clear()
    forge.broken = False
    commit = published(server, forge, app, folder, site(provider))
    server.ssh(f"apps:create {app}")
    options = f"--url {forge.url}/{app}.git --provider {provider} --api {forge.url}/api --token sesame42"
    added = server.ssh(f"webhooks:add {app} {options}")
    assert added.returncode == 0, added.stderr
    hook, secret = (added.stdout.split(f"{name}:")[1].split()[0] for name in ("URL", "Secret"))
    body = json.dumps({"ref": "refs/heads/main", "after": commit}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()

    def send(proof: str) -> tuple[int, str]:
        given = {
            "gitlab": {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": proof},
            "gitea": {"X-Gitea-Event": "push", "X-Gitea-Signature": proof, "X-Gitea-Delivery": secrets.token_hex(8)},
        }[provider]
        return post(server, urlsplit(hook).path, body, {"Content-Type": "application/json", **given})

    assert send("0" * 64)[0] == 404
    assert send(secret if provider == "gitlab" else signature)[0] == 202
    assert until(lambda: [s["state"] for s in forge.statuses] == states, seconds=60), forge.statuses
    assert provider in server.get(app).body
    assert forge.statuses[0]["path"] == f"/api/{path.format(app)}/{commit}" and forge.statuses[0]["login"] == login


def test_a_webhook_of_somebody_who_may_not_deploy_any_more_does_nothing(
    server: Server, folder: Path, forge: Forge
) -> None:
    commit = published(server, forge, "left", folder, site("left"))
    server.ssh("apps:create left")
    eve = server.add_user("eve")
    server.ssh("access:add left eve --role operator")
    added = server.ssh(f"webhooks:add left --url {forge.url}/left.git --api {forge.url}/api", key=eve)
    assert added.returncode == 0, added.stderr
    path = "/hooks/" + added.stdout.split("/hooks/")[1].split()[0]
    secret = added.stdout.split("Secret:")[1].split()[0]
    server.ssh("access:remove left eve")
    status, said = post(server, path, *delivery(path, secret, {"ref": "refs/heads/main", "after": commit}))
    assert status == 403 and "may not deploy" in said and server.releases("left") == []


def test_webhooks_from_inside_are_not_added(server: Server) -> None:
    server.ssh("apps:create inward")
    for options in ("--url http://127.0.0.1/x.git", "--url https://github.com/a/b.git --api http://127.0.0.1:1/", ""):
        assert server.ssh(f"webhooks:add inward {options}").returncode in (1, 2)
    with contextlib.suppress(KeyError):
        assert json.loads(server.ssh("webhooks inward --json").stdout) == []
