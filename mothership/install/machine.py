"""The engine and the Swarm under the server: started and joined, never disturbed."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import EngineUnavailable, Refused
from mothership.install import process

SYSTEMD = Path("/run/systemd/system")
PATIENCE = 60.0


def has_systemd() -> bool:
    """Whether systemd is this machine's service manager (sd_booted(3))."""
    return SYSTEMD.is_dir()


async def start_engine(settings: Settings, engine: Engine) -> None:
    """Start the engine when none answers: by systemd, else as a process of its own. Raises EngineUnavailable."""
    with contextlib.suppress(EngineUnavailable):
        await engine.version()
        return
    if has_systemd():
        subprocess.run(["systemctl", "enable", "--now", "docker"], check=False, capture_output=True)
    else:
        _spawn(settings)
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(EngineUnavailable):
            await engine.version()
            return
        await asyncio.sleep(0.2)
    raise EngineUnavailable(
        "The container engine does not start.", f"What it says: journalctl -u docker, or {engine_log(settings)}"
    )


def engine_log(settings: Settings) -> Path:
    return settings.data / "logs" / "dockerd.log"


def engine_pid(settings: Settings) -> Path:
    """Where the pid of an engine that we started is kept."""
    return settings.data / "run" / "dockerd.pid"


def own_engine(settings: Settings) -> int:
    """The pid of the engine that we started, while it runs, else 0."""
    return process.alive(engine_pid(settings), lambda argv: Path(argv[0]).name == "dockerd")


def swarm_mark(settings: Settings) -> Path:
    """A file that says that the Swarm was initialised by us."""
    return settings.data / "run" / "swarm-made"


async def join_swarm(settings: Settings, engine: Engine) -> None:
    """Make the engine a Swarm manager, or take the one it is. Raises Refused for a worker."""
    state = (await engine.info())["Swarm"]
    if state["LocalNodeState"] == "active":
        if not state["ControlAvailable"]:
            raise Refused(
                "This machine is a worker of a Docker Swarm; Mothership needs a manager.",
                "Run it on a manager, or promote this node there: docker node promote NODE",
            )
        return
    if state["LocalNodeState"] != "inactive":
        raise Refused(
            f"This machine's Docker Swarm is {state['LocalNodeState']}.", "Mend it, or leave it: docker swarm leave"
        )
    await engine.swarm_init(_address())
    swarm_mark(settings).parent.mkdir(parents=True, exist_ok=True)
    swarm_mark(settings).touch()


def _spawn(settings: Settings) -> None:
    dockerd = shutil.which("dockerd") or "/usr/sbin/dockerd"
    for path in (engine_log(settings), engine_pid(settings)):
        path.parent.mkdir(parents=True, exist_ok=True)
    _forget_dead()
    with engine_log(settings).open("ab") as log:
        child = subprocess.Popen(
            [dockerd], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/"
        )
    engine_pid(settings).write_text(str(child.pid))


def _forget_dead() -> None:
    """Remove a pid file whose process is another program by now; it would keep dockerd from starting."""
    for name in ("docker.pid", "docker/containerd/containerd.pid"):
        path = Path("/var/run") / name
        with contextlib.suppress(OSError, ValueError):
            alive = Path(f"/proc/{int(path.read_text())}/comm")
            if not alive.exists() or alive.read_text().strip() not in ("dockerd", "containerd"):
                path.unlink()


def _address() -> str:
    """The address other machines would reach this one at; loopback's when it has no network."""
    answer = subprocess.run(
        ["ip", "-4", "-o", "route", "get", "192.0.2.1"], capture_output=True, text=True, check=False
    )
    words = answer.stdout.split()
    if "src" in words:
        return words[words.index("src") + 1]
    return os.environ.get("MOTHERSHIP_ADVERTISE", "127.0.0.1")
