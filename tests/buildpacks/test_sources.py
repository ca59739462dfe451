"""Where buildpacks come from: git, tarballs, folders, an admin's own names and mirrors."""

import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.buildpacks.stand import PACKS, Stand, site
from tests.engine.server import Server

MIRRORED = "https://buildpacks.nowhere.example/"


def git(folder: Path, *words: str) -> str:
    settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=trunk")
    done = subprocess.run(("git", "-C", str(folder), *settings, *words), check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Repository:
    """A buildpack in git, served as plain files (git-update-server-info(1))."""

    def __init__(self, root: Path, name: str = "wheel") -> None:
        self.work = root / f"{name}-work"
        subprocess.run(("cp", "-R", PACKS / "wheel", self.work), check=True)
        git(self.work, "init", "-q")
        self.bare = root / f"{name}.git"
        self.release("one")
        git(root, "clone", "-q", "--bare", str(self.work), str(self.bare))
        self.publish()

    def release(self, version: str) -> str:
        (self.work / "VERSION").write_text(f"{version}\n")
        git(self.work, "add", "-A")
        git(self.work, "commit", "-q", "-m", version)
        return git(self.work, "rev-parse", "HEAD")

    def publish(self) -> None:
        git(self.work, "push", "-q", "--force", "--all", str(self.bare))
        git(self.work, "push", "-q", "--tags", str(self.bare))
        git(self.bare, "update-server-info")


def packed(folder: Path, files: dict[str, str]) -> Path:
    """A tarball of scripts and texts by their names, just as given."""
    path = folder / "pack.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


def test_a_git_url_takes_the_default_branch_and_follows_it(server: Server, folder: Path, tmp_path: Path) -> None:
    repository, stand = Repository(tmp_path), Stand(server, folder, "bs-follow")
    with site(tmp_path) as url:
        stand.server.commit(folder, {".buildpacks": f"{url}/wheel.git\n"})
        assert "fetched: one" in stand.build()
        repository.release("two")
        repository.publish()
        assert "fetched: two" in stand.build()
    said = stand.build()
    assert "fetched: two" in said and "going on with the copy of the last build" in said


def test_a_ref_behind_the_url_is_a_branch_a_tag_or_a_commit(server: Server, folder: Path, tmp_path: Path) -> None:
    repository, stand = Repository(tmp_path), Stand(server, folder, "bs-ref")
    first = git(repository.work, "rev-parse", "HEAD")
    git(repository.work, "checkout", "-q", "-b", "feature/next")
    repository.release("of the branch")
    git(repository.work, "tag", "v2")
    repository.release("newest of the branch")
    repository.publish()
    with site(tmp_path) as url:
        for ref, version in (("feature/next", "newest of the branch"), ("v2", "of the branch"), (first, "one")):
            stand.server.commit(folder, {".buildpacks": f"{url}/wheel.git#{ref}\n"})
            assert f"fetched: {version}\n" in stand.build()
        stand.server.commit(folder, {".buildpacks": f"{url}/wheel.git#v9\n"})
        said = stand.fail()
    assert "v9" in said and "fetching" in said


@pytest.mark.parametrize("prefix", ["", "buildpack-1.0/"])
def test_a_tarball_is_unpacked_with_or_without_a_folder_around_it(
    server: Server, folder: Path, tmp_path: Path, prefix: str
) -> None:
    scripts = {f"{prefix}bin/detect": "#!/bin/sh\necho Tarred", f"{prefix}bin/compile": "#!/bin/sh\necho from a tar"}
    packed(tmp_path, scripts)
    stand = Stand(server, folder, f"bs-tar-{len(prefix)}")
    with site(tmp_path) as url:
        stand.server.commit(folder, {".buildpacks": f"{url}/pack.tgz\n"})
        said = stand.build()
    assert "-----> Tarred app detected" in said and "from a tar" in said


def test_a_zip_is_unpacked_too(server: Server, folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as file:
        file.writestr("bin/detect", "#!/bin/sh\necho Zipped")
        file.writestr("bin/compile", "#!/bin/sh\necho from a zip")
    stand = Stand(server, folder, "bs-zip")
    with site(tmp_path) as url:
        stand.server.commit(folder, {".buildpacks": f"{url}/pack.zip\n"})
        assert "from a zip" in stand.build()


def test_a_tarball_that_climbs_out_of_its_folder_is_refused(server: Server, folder: Path, tmp_path: Path) -> None:
    packed(tmp_path, {"bin/detect": "#!/bin/sh\n", "bin/compile": "#!/bin/sh\ncat /tmp/evil", "../../evil": "climbed"})
    stand = Stand(server, folder, "bs-climb")
    with site(tmp_path) as url:
        stand.server.commit(folder, {".buildpacks": f"{url}/pack.tgz\n"})
        said = stand.fail()
    assert "fetching" in said and "climbed" not in said


def test_a_url_where_nothing_is_is_named_without_its_password(server: Server, folder: Path, tmp_path: Path) -> None:
    stand = Stand(server, folder, "bs-dead")
    with site(tmp_path) as url:
        for name in ("none.git", "none.tgz"):
            secret = url.replace("//", "//ada:hunter2@")
            stand.server.commit(folder, {".buildpacks": f"{secret}/{name}\n"})
            said = stand.fail()
            assert f"{url}/{name}" in said and "hunter2" not in said, said
    stand.server.commit(folder, {".buildpacks": "http://127.0.0.1:9/nobody.git\n"})
    assert "fetching http://127.0.0.1:9/nobody.git" in stand.fail()


def test_the_apps_setting_comes_before_buildpack_url_dot_buildpacks_and_app_json(server: Server, folder: Path) -> None:
    stand = Stand(server, folder, "bs-order")
    packs = ("counter", "silent", "no-release", "words")
    stand.use(*packs, files={"app.json": '{"buildpacks": [{"url": "./packs/words"}]}'})
    stand.server.commit(folder, {".buildpacks": "./packs/no-release\n"})
    stand.configure(BUILDPACK_URL="./packs/silent")
    assert server.ssh(f"buildpacks:set {stand.app} ./packs/counter").returncode == 0
    assert "./packs/counter app detected" in stand.build()
    assert server.ssh(f"buildpacks:clear {stand.app}").returncode == 0
    assert "./packs/silent app detected" in stand.build()
    assert server.ssh(f"config:unset {stand.app} BUILDPACK_URL").returncode == 0
    assert "./packs/no-release app detected" in stand.build()
    (folder / ".buildpacks").unlink()
    stand.server.commit(folder)
    assert "Words of 1" in stand.build()


def test_buildpacks_are_set_added_and_removed_by_place_and_name(server: Server, folder: Path) -> None:
    assert server.ssh("apps:create bs-verbs").returncode == 0

    def listed() -> list[str]:
        return server.ssh("buildpacks bs-verbs").stdout.split()

    def said(line: str) -> int:
        return server.ssh(line).returncode

    assert said("buildpacks:add bs-verbs heroku/python") == 0
    assert said("buildpacks:add bs-verbs heroku/nodejs --index 1") == 0
    assert [name for name in listed() if "/" in name] == ["heroku/nodejs", "heroku/python"]
    assert said("buildpacks:set bs-verbs https://host.example/pack.git --index 2") == 0
    assert [name for name in listed() if "/" in name] == ["heroku/nodejs", "https://host.example/pack.git"]
    assert said("buildpacks:add bs-verbs heroku/nodejs") != 0
    assert said("buildpacks:remove bs-verbs heroku/ruby") != 0
    assert said("buildpacks:set bs-verbs 'not a buildpack'") != 0
    assert said("buildpacks:set bs-verbs ./../outside") != 0
    assert said("buildpacks:add bs-verbs heroku/go --index 9") != 0
    assert said("buildpacks:remove bs-verbs heroku/nodejs") == 0
    assert said("buildpacks:remove bs-verbs --index 1") == 0
    assert [name for name in listed() if "/" in name] == []


@pytest.fixture(scope="module")
def mirroring(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[tuple[Server, Path]]:
    """A Mothership with mirrors and names of its own, little room for builds, and the folder that mirrors."""
    mirror = tmp_path_factory.mktemp("mirror")
    mirror.chmod(0o755)
    root = tmp_path_factory.mktemp("mirroring")
    Repository(mirror)
    (mirror / "named").mkdir()
    (mirror / "packagist").mkdir()
    subprocess.run(("cp", "-R", PACKS / "silent", mirror / "named" / "pack"), check=True)
    with Server(
        root,
        f"mstm{worker_id}",
        build_time=40,
        build_disk=600,
        build_pids=64,
        mirrors={MIRRORED: f"{mirror}/", "https://repo.packagist.org": str(mirror / "packagist")},
        buildpacks={"corp/silent": str(mirror / "named" / "pack"), "heroku/ruby": f"{MIRRORED}wheel.git"},
    ) as made:
        yield made, mirror


def test_an_admins_names_stand_for_folders_and_urls(mirroring: tuple[Server, Path], folder: Path) -> None:
    server, _ = mirroring
    stand = Stand(server, folder, "bs-names")
    server.commit(folder, {".buildpacks": "corp/silent\nheroku/ruby\n"})
    said = stand.build()
    assert "silent one compiled" in said and "fetched: one" in said


def test_a_mirror_stands_in_for_git_curl_and_wget(mirroring: tuple[Server, Path], folder: Path) -> None:
    server, mirror = mirroring
    (mirror / "tool.txt").write_text("the tool\n")
    compile_script = "\n".join(
        (
            "#!/bin/bash",
            f"curl -fsSL --retry 1 {MIRRORED}tool.txt",
            f"wget -qO- {MIRRORED}tool.txt",
            f"cd /tmp && wget -q {MIRRORED}tool.txt && cat tool.txt",
            f"git clone -q {MIRRORED}wheel.git cloned && cat cloned/VERSION",
        )
    )
    stand = Stand(server, folder, "bs-mirror")
    stand.use("silent", files={})
    server.commit(folder, {"packs/silent/bin/compile": compile_script})
    said = stand.build()
    assert said.count("the tool") == 3 and "\none\n" in said


def test_composers_packages_come_from_a_mirror_of_their_registry(mirroring: tuple[Server, Path], folder: Path) -> None:
    server, mirror = mirroring
    with zipfile.ZipFile(mirror / "packagist" / "hello.zip", "w") as file:
        file.writestr("composer.json", '{"name": "acme/hello", "autoload": {"files": ["hello.php"]}}')
        file.writestr("hello.php", "<?php function hello() { return 'mirrored'; }")
    dist = {"type": "zip", "url": "file:///mirrors/0/packagist/hello.zip"}
    versions = {"1.0.0": {"name": "acme/hello", "version": "1.0.0", "dist": dist, "autoload": {"files": ["hello.php"]}}}
    (mirror / "packagist" / "packages.json").write_text(json.dumps({"packages": {"acme/hello": versions}}))
    stand = Stand(server, folder, "bs-composer")
    page = "<?php require 'vendor/autoload.php'; echo hello();"
    server.commit(folder, {"composer.json": '{"require": {"acme/hello": "^1.0"}}', "index.php": page})
    stand.deploy()
    assert server.get(stand.app).body == "mirrored"


@pytest.mark.parametrize("where", ["app", "cache", "tmp"])
def test_a_build_that_writes_without_end_is_stopped(mirroring: tuple[Server, Path], folder: Path, where: str) -> None:
    server, _ = mirroring
    stand = Stand(server, folder, f"bs-writes-{where}")
    stand.configure(WHERE=where)
    stand.use("writes")
    said = stand.fail()
    assert "The build wrote more than 600 MB and was stopped." in said and "wrote it all" not in said


def test_a_build_that_forks_without_end_is_held(mirroring: tuple[Server, Path], folder: Path) -> None:
    server, _ = mirroring
    stand = Stand(server, folder, "bs-forks")
    stand.use("forks")
    assert "./packs/forks (bin/compile) failed" in stand.fail()


def test_a_build_that_hangs_is_stopped(mirroring: tuple[Server, Path], folder: Path) -> None:
    server, _ = mirroring
    stand = Stand(server, folder, "bs-hangs")
    stand.use("hangs")
    said = stand.fail()
    assert "hanging" in said and "longer than 40 seconds" in said
