"""The installation's parts that need no engine: ports, the host's settings, the unit, who may join."""

import asyncio
import os
import re
import socket
import subprocess
from pathlib import Path
from typing import Any, cast

import click
import pytest

from mothership.config import Settings, load, save
from mothership.engine import Engine
from mothership.errors import Conflict, EngineUnavailable, Invalid, Refused, Unavailable
from mothership.install import buildcache, daemon, host, machine, process
from mothership.install.__main__ import main
from mothership.install.daemon import unit
from mothership.install.host import build_env, ca_bundle
from mothership.install.machine import join_swarm
from mothership.install.ports import holder, refuse_taken
from mothership.install.steps import Steps

ROOT = Path(__file__).parents[2]


def bash(script: str, *words: str, path: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run words of bash with scripts/lib.sh; programs in `path` go before the machine's own."""
    found = f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]
    argv = ["bash", "-euo", "pipefail", "-c", f". scripts/lib.sh\n{script}", "bash", *words]
    env = {"PATH": found, "HOME": "/nonexistent", **variables}
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=False)


def program(folder: Path, name: str, text: str) -> None:
    """A stand-in for a program of the machine."""
    (folder / name).write_text(f"#!/bin/bash\n{text}\n")
    (folder / name).chmod(0o755)


class Swarm:
    """An engine that only says how it stands with Swarm."""

    def __init__(self, state: str, *, manager: bool = False) -> None:
        self._state = {"LocalNodeState": state, "ControlAvailable": manager}

    async def info(self) -> dict[str, Any]:
        return {"Swarm": self._state}


def test_who_holds_a_port_is_named() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert holder(port).endswith(f"(pid {os.getpid()})")
        with pytest.raises(Conflict) as error:
            refuse_taken(port, "--ssh-port", allowed=False)
        assert f"(pid {os.getpid()})" in error.value.message and "--ssh-port PORT" in error.value.hint
    assert holder(port) == ""


async def test_a_swarm_worker_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="worker of a Docker Swarm"):
        await join_swarm(Settings(data=tmp_path), cast(Engine, Swarm("active")))


async def test_a_swarm_manager_is_joined_as_it_is(tmp_path: Path) -> None:
    await join_swarm(Settings(data=tmp_path), cast(Engine, Swarm("active", manager=True)))
    assert list(tmp_path.iterdir()) == []


async def test_a_locked_swarm_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="locked"):
        await join_swarm(Settings(data=tmp_path), cast(Engine, Swarm("locked")))


def test_builds_get_the_hosts_proxies_and_mirrors_and_nothing_else() -> None:
    given = {"HTTPS_PROXY": "http://proxy:3128", "GOPROXY": "https://go.example.com", "SECRET": "x", "CI": "true"}
    found = build_env(given)
    assert found["HTTPS_PROXY"] == "http://proxy:3128" and found["GOPROXY"] == "https://go.example.com"
    assert "SECRET" not in found and "CI" not in found


def test_pips_mirror_is_uvs_too() -> None:
    assert build_env({"PIP_INDEX_URL": "https://pip.example.com"})["UV_INDEX_URL"] == "https://pip.example.com"


def test_the_hosts_own_certificates_reach_builds(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("x")
    assert ca_bundle({"SSL_CERT_FILE": str(bundle)}) == str(bundle)
    assert ca_bundle({"SSL_CERT_FILE": str(tmp_path / "none")}) in ("", "/etc/ssl/certs/ca-certificates.crt")


def test_the_unit_runs_the_server_of_its_data_directory() -> None:
    text = unit(Settings(data=Path("/srv/ms")))
    assert "-m mothership.cli serve --data /srv/ms" in text and "Restart=always" in text


def test_settings_are_kept_and_only_root_reads_them(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, domain="apps.example.com", http_port=8080, build_env={"A": "b"})
    save(settings)
    assert load(tmp_path) == settings
    assert (tmp_path / "mothership.toml").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["domain = ", "no_such_setting = 1\n"])
def test_broken_settings_are_an_error_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "mothership.toml").write_text(text)
    with pytest.raises(Invalid):
        load(tmp_path)


def test_a_step_is_a_tick_with_its_time_and_a_failed_one_a_cross(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps()
    with steps.step("Doing it"):
        pass
    with pytest.raises(ValueError, match="no"), steps.step("Failing"):
        raise ValueError("no")
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["✓ Doing it… 0.0s", "✗ Failing…"]


def test_a_step_of_the_scripts_ends_at_its_first_failure() -> None:
    done = bash("work() { echo why; false; echo on; }\nstep Working work\necho after")
    assert done.returncode == 1
    assert done.stdout == "✗ Working…\n"
    assert done.stderr.startswith("why\nWorking failed.")


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ([], "/var/lib/mothership"),
        (["--no-demo", "--data", "/srv/ms"], "/srv/ms"),
        (["--data=/srv/../srv/ms", "--no-demo"], "/srv/ms"),
        (["--data", "ms"], str(ROOT / "ms")),
    ],
)
def test_the_scripts_read_the_data_directory(words: list[str], path: str) -> None:
    assert bash('data_directory "$@"', *words).stdout.strip() == path


def test_sudo_is_given_the_same_words_and_the_persons_mirrors(tmp_path: Path) -> None:
    program(tmp_path, "sudo", 'printf "%s\\n" "$@"')
    program(tmp_path, "id", "echo 1000")
    keep, *words = bash('as_root /x/up "$@"; echo not here', "--domain", "a b", path=tmp_path).stdout.splitlines()
    assert words == ["/x/up", "--domain", "a b"]
    kept = keep.removeprefix("--preserve-env=").split(",")
    assert {*host.PROXIES, *host.MIRRORS, *host.CA_VARIABLES} <= set(kept)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "/etc/ssl/certs/ca-certificates.crt"),
        ({"SSL_CERT_FILE": "/own.crt"}, "/own.crt"),
        ({"PIP_CERT": "/pip.crt"}, "/pip.crt"),
        ({"REQUESTS_CA_BUNDLE": "/requests.crt"}, ""),
    ],
)
def test_pip_trusts_what_the_machine_trusts(tmp_path: Path, given: dict[str, str], expected: str) -> None:
    program(tmp_path, "pip", "exit 1")
    done = bash('trust_this_machine pip\necho "${PIP_CERT:-}"', path=tmp_path, **given)
    assert done.stdout.strip() == expected


def test_pips_own_configuration_is_left_alone(tmp_path: Path) -> None:
    program(tmp_path, "pip", "exit 0")
    assert bash('trust_this_machine pip\necho "${PIP_CERT:-}"', path=tmp_path).stdout.strip() == ""


@pytest.mark.parametrize(
    ("installed", "known", "missing"),
    [
        (["docker.io"], [], []),
        (["docker.io"], ["docker-cli", "docker-buildx"], ["docker-cli", "docker-buildx"]),
        (["docker.io", "docker-cli"], ["docker-cli", "docker-buildx"], ["docker-buildx"]),
        (["docker-ce"], ["docker-cli", "docker-buildx"], []),
    ],
)
def test_the_client_is_installed_where_it_is_a_package_of_its_own(
    tmp_path: Path, installed: list[str], known: list[str], missing: list[str]
) -> None:
    program(tmp_path, "dpkg-query", f'[[ " {" ".join(installed)} " == *" ${{@: -1}} "* ]] && echo install ok installed')
    program(tmp_path, "apt-cache", f'[[ " {" ".join(known)} " == *" $2 "* ]]')
    assert bash("missing_client", path=tmp_path).stdout.split() == missing


async def test_a_server_that_ends_at_once_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "has_systemd", lambda: False)
    (tmp_path / "mothership.toml").write_text("no_such_setting = 1\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings = Settings(data=tmp_path, ssh_port=free.getsockname()[1])
    async with asyncio.timeout(20):
        with pytest.raises(Unavailable) as error:
            await daemon.start(settings, fresh=True)
    assert "no_such_setting" in error.value.hint and str(tmp_path / "logs" / "daemon.log") in error.value.hint


def test_a_process_that_ended_or_is_another_program_does_not_run(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with subprocess.Popen(["sleep", "30"]) as child:
        file.write_text(str(child.pid))
        while not process.alive(file, lambda argv: argv[0] == "sleep"):  # its words come a moment after it
            assert child.poll() is None
        assert process.alive(file, lambda argv: argv[0] == "dockerd") == 0
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and not yet reaped
        assert process.alive(file, lambda argv: True) == 0
    assert process.alive(tmp_path / "none", lambda argv: True) == 0


@pytest.mark.parametrize("name", ["up", "down"])
def test_help_names_every_flag_and_installs_nothing(name: str, tmp_path: Path) -> None:
    program(tmp_path, "sudo", "echo sudo was called; exit 1")
    program(tmp_path, "id", "echo 1000")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([ROOT / "scripts" / name, "--help"], capture_output=True, text=True, env=env, check=True)
    shown = set(re.findall(r"^  (--[a-z-]+)", done.stdout, re.MULTILINE))
    options = [option for option in main.commands[name].params if isinstance(option, click.Option)]
    assert shown == {option.opts[0] for option in options if not option.hidden}


def test_the_stacks_build_cache_is_told_from_others_and_removed_leaves_first() -> None:
    records: list[dict[str, Any]] = [
        {"ID": "base", "Description": "from local"},
        {
            "ID": "apt",
            "Parent": "base",
            "Description": "mount / from exec /bin/sh -c sh /run/stack/apt.sh /run/stack/x",
        },
        {"ID": "user", "Parent": "apt", "Description": "mount / from exec /bin/sh -c groupadd app"},
        {"ID": "app", "Parent": "user, files", "Description": "mount / from exec /bin/sh -c make"},
        {"ID": "files", "Description": "local source for context"},
        {"ID": "other", "Parent": "base", "Description": "mount / from exec /bin/sh -c apt-get install x"},
    ]
    assert buildcache.ours(records) == ["app", "user", "apt"]
    assert buildcache.ours([]) == []


async def test_an_engine_that_ends_at_once_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "dockerd", "echo no such kernel; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(machine, "has_systemd", lambda: False)
    monkeypatch.setattr(machine, "_forget_dead", lambda: None)
    nobody = Engine(f"unix://{tmp_path}/none.sock")
    async with asyncio.timeout(20):
        with pytest.raises(EngineUnavailable) as error:
            await machine.start_engine(Settings(data=tmp_path), nobody)
    assert "no such kernel" in error.value.hint


@pytest.mark.parametrize(("for_good", "words"), [(True, "enable --now"), (False, "start")])
async def test_systemd_starts_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_good: bool, words: str
) -> None:
    program(tmp_path, "systemctl", f'echo "$@" >> {tmp_path}/said')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(machine, "has_systemd", lambda: True)
    monkeypatch.setattr(machine, "PATIENCE", 0)
    with pytest.raises(EngineUnavailable, match="does not start"):
        await machine.start_engine(Settings(data=tmp_path), Engine(f"unix://{tmp_path}/none.sock"), for_good=for_good)
    assert (tmp_path / "said").read_text() == f"{words} docker.service\n"


def test_npms_registry_is_read_from_its_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "npmrc"
    file.write_text("fund=false\nregistry = https://npm.example.com/\n")
    monkeypatch.setattr(host, "NPM_FILES", (str(tmp_path / "none"), str(file)))
    assert build_env({})["npm_config_registry"] == "https://npm.example.com/"
