"""The proof: deploys, rollbacks, failures and scaling of a rude app under load, and not one failed request."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mothership.engine import Engine
from tests.engine import load
from tests.engine.server import Server

BROKEN = "raise SystemExit(5)"


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership of its own."""
    with Server(tmp_path_factory.mktemp("steady"), f"mstz{worker_id}", drain=10, boot_timeout=30) as made:
        yield made


def deploy(server: Server, folder: Path, version: str, app: str = "rude") -> None:
    server.commit(
        folder, {"app.py": load.rude(version), "requirements.txt": "", "Procfile": "web: exec python app.py\n"}
    )
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text


def fail(server: Server, folder: Path) -> None:
    server.commit(folder, {"app.py": BROKEN})
    assert server.push(folder, "rude").code == 1
    server.git(folder, "reset", "-q", "--hard", "HEAD~1")


def say(server: Server, line: str) -> None:
    done = server.ssh(line)
    assert done.returncode == 0, done.stdout + done.stderr


def script(server: Server, folder: Path) -> list[Callable[[], None]]:
    """20 deploys, 5 rollbacks, 5 failed deploys, and scaling 1 → 4 → 1, twice with four replicas under way."""
    steps: list[Callable[[], None]] = []
    for number in range(2, 22):
        steps.append(lambda number=number: deploy(server, folder, f"d{number}"))  # type: ignore[misc]
        if number % 4 == 0:
            steps += [lambda: fail(server, folder), lambda: say(server, "rollback rude")]
        if number in (9, 17):
            steps.append(lambda: say(server, "ps:scale rude web=4"))
        if number in (11, 18):
            steps.append(lambda: say(server, "ps:scale rude web=1"))
    return steps


async def test_no_request_fails_during_deploys_rollbacks_failures_and_scaling(steady: Server, folder: Path) -> None:
    await asyncio.to_thread(deploy, steady, folder, "d1")
    steps = script(steady, folder)
    async with load.running(f"http://127.0.0.1:{steady.http_port}", "rude.localhost") as tally:
        for step in steps:
            await asyncio.to_thread(step)
    print(f"\n{len(steps)} steps, {len(tally.seen)} releases seen: {tally}")
    assert tally.failed == [], tally.failed[:10]
    assert len(tally.seen) >= 25 and min(tally.good.values()) > 10


async def test_no_request_fails_when_the_daemon_and_the_proxys_worker_are_restarted(
    steady: Server, folder: Path
) -> None:
    await asyncio.to_thread(deploy, steady, folder, "r1", "restarts")
    say(steady, "ps:scale restarts web=2")
    async with load.running(f"http://127.0.0.1:{steady.http_port}", "restarts.localhost") as tally:
        await asyncio.to_thread(steady.kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(steady.start)
        reader, writer = await asyncio.open_unix_connection(str(steady.data / "proxy" / "master.sock"))
        writer.write(b"reload\n")
        assert b"Success=1" in await reader.read()
        writer.close()
        await asyncio.sleep(4)
        await asyncio.to_thread(deploy, steady, folder, "r2", "restarts")
    print(f"\n{tally}")
    assert tally.failed == [], tally.failed[:10]


async def test_no_request_fails_when_one_of_several_replicas_is_killed(steady: Server, folder: Path) -> None:
    await asyncio.to_thread(deploy, steady, folder, "k1", "killed")
    say(steady, "ps:scale killed web=3")
    engine = Engine()
    async with load.running(f"http://127.0.0.1:{steady.http_port}", "killed.localhost", slow=False) as tally:
        for _ in range(3):
            found = await engine.containers({"mothership.instance": steady.instance, "mothership.app": "killed"})
            await engine.kill(next(str(each["Id"]) for each in found if each["State"] == "running"))
            await asyncio.sleep(6)
    print(f"\n{tally}")
    assert tally.failed == [], tally.failed[:10]
