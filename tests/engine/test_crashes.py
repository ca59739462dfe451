"""The daemon is killed at every stage of a deploy and at random moments: what serves, what is stored, and git agree."""

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.server import Server, until
from tests.engine.test_road import WEB

SEED = 20261125
STAGES = (
    "Building",
    "app detected",
    "Discovering process types",
    "Image ready",
    "Releasing v",
    "Running the predeploy",
    "Running the release",
    "Starting web=1",
    "Starting worker=1",
    "Running the postdeploy",
    "Serving v",
)
RANDOM = 60 - 2 * len(STAGES)
APP = "crashes"
FILES = {
    "requirements.txt": "",
    "Procfile": "web: python app.py\nworker: sleep 1000\nrelease: sleep 0.2\n",
    "app.json": '{"scripts": {"predeploy": "true", "postdeploy": "true"}}',
}


@dataclass(frozen=True)
class Kill:
    """When the daemon dies: once the push's output shows a text, or after a time. Seconds."""

    stage: str = ""
    after: float = 0.0

    def __str__(self) -> str:
        return self.stage or f"after {self.after:.2f} s"


def kills() -> list[Kill]:
    """60 deaths: each stage twice, and at random times; the same ones in every run."""
    chance = random.Random(SEED)
    found = [Kill(stage, chance.uniform(0, 0.05)) for stage in STAGES for _ in range(2)]
    found += [Kill(after=chance.uniform(0, 4.5)) for _ in range(RANDOM)]
    chance.shuffle(found)
    return found


@pytest.fixture(scope="module")
def dying(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership of its own."""
    with Server(tmp_path_factory.mktemp("dying"), f"mstc{worker_id}", drain=2, worker_uptime=0) as made:
        yield made


def push_until(server: Server, folder: Path, kill: Kill) -> int:
    """Push, kill the daemon in the middle, and return how git's client ended."""
    log = folder.parent / "push.log"
    with log.open("wb") as file:
        pushing = subprocess.Popen(
            ["git", "push", server.remote(APP), "+main"],
            cwd=folder,
            env=server.git_environment(),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    began = time.monotonic()
    while kill.stage and kill.stage not in log.read_text(errors="replace") and pushing.poll() is None:
        time.sleep(0.002)
    if not kill.stage:
        with contextlib.suppress(subprocess.TimeoutExpired):
            pushing.wait(kill.after)
    else:
        time.sleep(kill.after)
    assert time.monotonic() - began < 60, log.read_text()
    server.kill()
    try:
        return pushing.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(pushing.pid, signal.SIGKILL)
        raise


def settled(server: Server) -> str:
    """Why the parts don't agree, "" when they do."""
    version = json.loads(server.ssh(f"releases:info {APP} --json").stdout)["release"]
    word = server.ssh(f"config:get {APP} GREETING").stdout.strip()
    body = server.get(APP).body
    wanted = sorted(f"{APP}-{process}-{version}" for process in ("web", "worker"))
    checks = {
        "answers as the current release": body.split()[1] == word,
        "has the services of the current release alone": server.services(APP) == wanted,
        "has no builds": server.containers(role="build") == [],
        "has no one-off containers": server.containers(role="run") == [],
        "has no quarantines": server.quarantines() == [],
        "has no release pending": all(r["status"] != "pending" for r in server.releases(APP)),
        "is well by the doctor": server.ssh("doctor").returncode == 0,
    }
    return ", ".join(text for text, holds in checks.items() if not holds)


def test_sixty_deaths_of_the_daemon_leave_nothing_half_done(dying: Server, folder: Path) -> None:
    commits = {dying.commit(folder, {**FILES, "app.py": WEB}): "one"}
    assert dying.push(folder, APP).code == 0
    assert dying.ssh(f"ps:scale {APP} worker=1").returncode == 0
    assert dying.ssh(f"config:set {APP} GREETING=hi").returncode == 0
    finished = 0
    for number, kill in enumerate(kills()):
        word = f"w{number}"
        commit = dying.commit(folder, {"app.py": WEB.replace('"one"', f'"{word}"')})
        commits[commit] = word
        code = push_until(dying, folder, kill)
        serving = dying.get(APP)
        assert serving.status == 200, f"kill {number} ({kill}): nothing serves while the daemon is away"
        dying.start()
        assert until(lambda: not settled(dying), seconds=15), f"kill {number} ({kill}): it {settled(dying)}"
        ref, body = dying.ref(APP), dying.get(APP).body
        assert commits[ref] == body.split()[0], f"kill {number} ({kill}): {ref} is not what serves: {body}"
        if code == 0:
            assert ref == commit, f"kill {number} ({kill}): a push that was accepted is not what serves"
        finished += ref == commit
    print(f"\n60 deaths; {finished} of the pushes came to serve, the others left no trace")
    dying.commit(folder, {"app.py": WEB.replace('"one"', '"last"')})
    assert dying.push(folder, APP, "+main").code == 0
    assert dying.get(APP).body.startswith("last hi")
