"""The installation's parts that need no engine: ports, the host's settings, the unit, who may join."""

import os
import socket
from pathlib import Path
from typing import Any, cast

import pytest

from mothership.config import Settings, load, save
from mothership.engine import Engine
from mothership.errors import Conflict, Invalid, Refused
from mothership.install.daemon import unit
from mothership.install.host import build_env, ca_bundle
from mothership.install.machine import join_swarm
from mothership.install.ports import holder, refuse_taken
from mothership.install.steps import Steps


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
