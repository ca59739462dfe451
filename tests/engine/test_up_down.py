"""scripts/up and scripts/down: a second installation beside everything else on this machine."""

import asyncio
import os
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mothership.engine import ContainerSpec, Engine
from tests.engine.server import free_ports, remove_instance

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[tuple[Path, list[str], int]]:
    """A data directory, the flags that keep out of everybody's way, and the HTTP port."""
    http, ssh, registry = free_ports(3)
    data, instance = tmp_path_factory.mktemp("up") / "data", f"mstu{worker_id}"
    flags = ["--data", str(data), "--instance", instance, "--http-port", str(http), "--ssh-port", str(ssh)]
    yield data, [*flags, "--registry-port", str(registry)], http
    subprocess.run([ROOT / "scripts/down", "--data", str(data)], capture_output=True, check=False)
    asyncio.run(remove_instance(instance))
    asyncio.run(remove_instance("mstother"))


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "scripts" / script, *words], capture_output=True, text=True, timeout=300, check=False)


def test_up_ends_with_the_example_served_and_again_changes_nothing(place: tuple[Path, list[str], int]) -> None:
    data, flags, port = place
    done = run("up", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ Initializing swarm…" in done.stdout and re.search(r"Done in \d+ s", done.stdout)
    assert f"http://python-flask.localhost:{port}" in done.stdout
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": "python-flask.localhost"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert b"Hello from Flask" in answer.read()
    pid = (data / "run" / "mothership.pid").read_text()
    again = run("up", "--data", str(data))
    assert again.returncode == 0, again.stdout + again.stderr
    assert (data / "run" / "mothership.pid").read_text() == pid


def test_down_keeps_the_data_and_up_serves_it_again(place: tuple[Path, list[str], int]) -> None:
    data, _, port = place
    assert run("down", "--data", str(data)).returncode == 0
    assert (data / "mothership.db").exists()
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
    done = run("up", "--data", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": "python-flask.localhost"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_purge_removes_what_is_ours_and_nothing_else(place: tuple[Path, list[str], int]) -> None:
    data, _, _ = place
    others = [asyncio.run(a_stranger()), asyncio.run(a_stranger(instance="mstother"))]
    done = run("down", "--purge", "--data", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    assert not data.exists()
    for other in others:
        assert asyncio.run(Engine().inspect(other))["State"]["Running"]
        assert asyncio.run(Engine().has_image("mothership/stack-run:heroku-24"))
        asyncio.run(Engine().remove(other))


def test_a_taken_port_is_named_with_its_holder_and_the_flag(tmp_path: Path) -> None:
    http, ssh, registry = free_ports(3)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", ssh))
        holder.listen()
        flags = ["--instance", "mstport", "--http-port", str(http), "--registry-port", str(registry)]
        done = run("up", "--data", str(tmp_path / "data"), "--ssh-port", str(ssh), *flags)
    assert done.returncode == 1
    assert f"Port {ssh} is taken by" in done.stderr and f"pid {os.getpid()}" in done.stderr
    assert "--ssh-port" in done.stderr and "Traceback" not in done.stderr


async def a_stranger(instance: str = "") -> str:
    """A container of nobody's, or of another installation, which needs the stack's images as well."""
    engine = Engine()
    labels = {"mothership.instance": instance} if instance else {}
    spec = ContainerSpec(image="mothership/stack-run:heroku-24", entrypoint=("sleep", "300"), labels=labels)
    container = await engine.create(spec)
    await engine.start(container)
    return container
