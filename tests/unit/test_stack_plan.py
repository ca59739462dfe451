"""What the stack is planned to be, without an engine."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.cli import candidates, docker_environment, first_that_builds, proxy_arguments
from builder.stack.debian import Mirrors, host_mirrors, mirrors_in, mmdebstrap
from builder.stack.image import build_command
from builder.stack.plan import ROOT, TOOLS, plan
from builder.stack.process import run
from mothership.config import Settings
from mothership.errors import BuildFailed, EngineUnavailable

DEB822 = """# http://snapshot.debian.org/archive/debian/
Types: deb
URIs: http://mirror.test/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: https://mirror.test/debian-security
Suites: bookworm-security
"""
ONE_LINE = """# deb http://old.test/debian bookworm main
deb [signed-by=/usr/share/keyrings/x.gpg] http://ftp.test/debian bookworm main
deb http://packages.test/node nodistro main
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what the images are made from."""
    for part in ("stack", "launcher"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _inputs(root: Path) -> dict[str, str]:
    return {image.kind: image.inputs for image in plan("heroku-24", root)}


def _append(path: Path) -> None:
    path.write_text(path.read_text() + "\n")


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("stack/run/packages", {"run", "build", "platform"}),
        ("stack/run/Dockerfile", {"run", "build", "platform"}),
        ("stack/apt.sh", {"run", "build", "platform"}),
        ("stack/build/packages", {"build"}),
        ("stack/tools.sh", {"build"}),
        ("launcher/launcher.c", {"build"}),
        ("stack/platform/Dockerfile", {"platform"}),
        ("stack/image.py", set()),
    ],
)
def test_an_image_is_made_again_when_something_it_is_made_from_changed(
    sources: Path, file: str, changed: set[str]
) -> None:
    before = _inputs(sources)
    _append(sources / file)
    after = _inputs(sources)
    assert {kind for kind in before if before[kind] != after[kind]} == changed


def test_images_are_planned_after_what_they_are_made_from() -> None:
    images = plan("heroku-24")
    assert [(image.name, image.parent) for image in images] == [
        ("mothership/stack-base:heroku-24", ""),
        ("mothership/stack-run:heroku-24", "mothership/stack-base:heroku-24"),
        ("mothership/stack-build:heroku-24", "mothership/stack-run:heroku-24"),
        ("mothership/platform:heroku-24", "mothership/stack-run:heroku-24"),
    ]


def test_a_build_passes_secrets_by_path_and_proxies_by_name() -> None:
    settings = Settings(build_env={"HTTPS_PROXY": "http://user:secret@proxy.test", "PIP_INDEX_URL": "https://p.test"})
    image = plan("heroku-24")[2]
    assert build_command(image, settings, {"env": Path("/s/env"), "ca": Path("/s/ca")}) == (
        "build",
        "--progress=plain",
        "--tag=mothership/stack-build:heroku-24",
        f"--file={ROOT}/stack/build/Dockerfile",
        "--secret=id=env,src=/s/env",
        "--secret=id=ca,src=/s/ca",
        "--label=mothership.stack=heroku-24",
        f"--label=mothership.inputs={image.inputs}",
        "--build-arg=FROM=mothership/stack-run:heroku-24",
        *(f"--build-arg={tool}={version}" for tool, version in TOOLS.items()),
        "--build-arg",
        "HTTPS_PROXY",
        str(ROOT),
    )


def test_proxies_reach_the_docker_command_through_its_environment() -> None:
    settings = Settings(build_env={"https_proxy": "http://p.test", "GOPROXY": "x"}, docker_host="unix:///e.sock")
    environment = docker_environment(settings)
    assert environment["https_proxy"] == "http://p.test"
    assert environment["DOCKER_HOST"] == "unix:///e.sock"
    assert "GOPROXY" not in environment
    assert proxy_arguments(settings.build_env) == ("--build-arg", "https_proxy")


@pytest.mark.parametrize(
    ("texts", "mirrors"),
    [
        ([DEB822], Mirrors("http://mirror.test/debian", "https://mirror.test/debian-security")),
        ([ONE_LINE], Mirrors("http://ftp.test/debian")),
        ([ONE_LINE, DEB822], Mirrors("http://ftp.test/debian", "https://mirror.test/debian-security")),
        ([], Mirrors()),
    ],
)
def test_the_hosts_own_mirrors_are_found(texts: list[str], mirrors: Mirrors) -> None:
    assert mirrors_in(texts) == mirrors


@pytest.fixture
def etc(tmp_path: Path) -> Callable[[str], Path]:
    def make(system: str) -> Path:
        (tmp_path / "apt" / "sources.list.d").mkdir(parents=True)
        (tmp_path / "os-release").write_text(f"NAME=x\nID={system}\n")
        (tmp_path / "apt" / "sources.list.d" / "debian.sources").write_text(DEB822)
        (tmp_path / "apt" / "sources.list.d" / "old.sources.save").write_text(ONE_LINE)
        return tmp_path

    return make


def test_only_a_debian_hosts_mirrors_are_taken(etc: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOTHERSHIP_DEBIAN_MIRROR", raising=False)
    root = etc("debian")
    assert host_mirrors(Settings(), root) == Mirrors("http://mirror.test/debian", "https://mirror.test/debian-security")
    (root / "os-release").write_text("ID=ubuntu\n")
    assert host_mirrors(Settings(), root) == Mirrors()


def test_a_named_mirror_wins(etc: Callable[[str], Path]) -> None:
    settings = Settings(build_env={"MOTHERSHIP_DEBIAN_MIRROR": "http://named.test/debian/"})
    named = Mirrors("http://named.test/debian", "http://named.test/debian-security")
    assert host_mirrors(settings, etc("debian")) == named


def test_the_base_is_made_from_the_suite_its_updates_and_its_security_fixes() -> None:
    argv = mmdebstrap(Mirrors("http://m/debian", "http://m/debian-security"), Path("/t/base.tar"))
    assert argv[0] == "mmdebstrap"
    assert argv[-5:] == (
        "trixie",
        "/t/base.tar",
        "deb http://m/debian trixie main",
        "deb http://m/debian trixie-updates main",
        "deb http://m/debian-security trixie-security main",
    )


def test_every_docker_command_on_the_path_is_a_candidate_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "docker").write_text("#!/bin/sh\n")
        (tmp_path / name / "docker").chmod(0o755)
    path = f"{tmp_path}/a:{tmp_path}/none:{tmp_path}/b:{tmp_path}/a"
    found = [entry for entry in candidates(path) if entry.startswith(str(tmp_path))]
    assert found == [f"{tmp_path}/a/docker", f"{tmp_path}/b/docker"]


async def test_a_failed_command_is_quoted_by_its_last_lines_with_the_remedy() -> None:
    with pytest.raises(BuildFailed) as caught:
        await run(
            ["sh", "-c", "for i in $(seq 30); do echo line $i; done; echo end >&2; exit 3"],
            env={"PATH": "/usr/bin:/bin"},
            what="Making it",
            remedy="Do that.",
            on_line=lambda line: line if line != "line 29" else "",
        )
    lines = caught.value.message.splitlines()
    assert lines[0] == "Making it failed (exit 3):"
    assert lines[-3:] == ["line 28", "line 30", "end"]
    assert len(lines) == 21
    assert caught.value.hint == "Do that."


async def test_a_missing_command_is_named_with_the_package_that_has_it() -> None:
    with pytest.raises(BuildFailed) as caught:
        await run(["no-such-command"], env={}, what="Making it", remedy="", on_line=str)
    assert caught.value.message == "Making it failed: no-such-command is not installed."
    assert caught.value.hint == "apt-get install no-such-command"


def _docker(root: Path, version: str, *, buildx: bool) -> str:
    """A command that answers as a docker command line of that version does."""
    root.mkdir()
    command = root / "docker"
    answer = f"echo Docker version {version}, build 1; exit 0"
    command.write_text(f'#!/bin/sh\n[ "$1" = --version ] && {{ {answer}; }}\nexit {0 if buildx else 1}\n')
    command.chmod(0o755)
    return str(command)


async def test_a_docker_command_that_can_build_is_preferred_to_an_earlier_one_that_can_not(tmp_path: Path) -> None:
    bare = _docker(tmp_path / "bare", "28.2.2", buildx=False)
    old = _docker(tmp_path / "old", "20.10.24+dfsg1", buildx=False)
    new = _docker(tmp_path / "new", "28.2.2", buildx=True)
    assert await first_that_builds([bare, old, new]) == old
    assert await first_that_builds([bare, new, old]) == new


async def test_no_docker_command_that_can_build_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        await first_that_builds([_docker(tmp_path / "bare", "28.2.2", buildx=False)])
    assert "docker-buildx" in caught.value.hint
