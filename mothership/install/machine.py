"""The engine and the Swarm under the server: started and joined, never disturbed."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import EngineUnavailable, Refused
from mothership.install import process

SYSTEMD = Path("/run/systemd/system")
PATIENCE = 60.0
DOCKERD = "/usr/sbin/dockerd"


def has_systemd() -> bool:
    """Whether systemd is this machine's service manager (sd_booted(3))."""
    return SYSTEMD.is_dir()


async def answers(engine: Engine) -> bool:
    """Whether the engine runs."""
    try:
        await engine.version()
    except EngineUnavailable:
        return False
    return True


async def start_engine(settings: Settings, engine: Engine, *, for_good: bool = True) -> None:
    """Start the engine when none answers: by systemd (at each boot, too, if `for_good`), else as a process of its own.

    Raises EngineUnavailable.
    """
    if await answers(engine):
        return
    child = None
    if has_systemd():
        _systemctl(*(("enable", "--now") if for_good else ("start",)), "docker.service")
    else:
        child = _spawn(settings)
    await _until_it_answers(settings, engine, child)


async def stop_engine(settings: Settings) -> None:
    """Stop an engine that was not started for good."""
    if has_systemd():
        _systemctl("stop", "docker.service", "docker.socket")
    if pid := own_engine(settings):
        os.kill(pid, signal.SIGTERM)
    for _ in range(300):
        if not own_engine(settings):
            break
        await asyncio.sleep(0.1)
    engine_pid(settings).unlink(missing_ok=True)


def _systemctl(*words: str) -> None:
    subprocess.run(["systemctl", *words], check=False, capture_output=True)


async def _until_it_answers(settings: Settings, engine: Engine, child: subprocess.Popen[bytes] | None) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < deadline and (child is None or child.poll() is None):
        if await answers(engine):
            return
        await asyncio.sleep(0.2)
    raise EngineUnavailable("The container engine does not start.", _last_words(settings))


def _last_words(settings: Settings) -> str:
    if has_systemd():
        return "What it says: journalctl -u docker"
    printed = engine_log(settings).read_text(errors="replace").splitlines()
    return "\n".join([*printed[-5:], f"More: {engine_log(settings)}"])


def engine_log(settings: Settings) -> Path:
    return settings.data / "logs" / "dockerd.log"


def engine_pid(settings: Settings) -> Path:
    """Where the pid of an engine that we started is kept."""
    return settings.data / "run" / "dockerd.pid"


def has_engine() -> bool:
    """Whether an engine is installed, running or not."""
    return shutil.which("dockerd") is not None or Path(DOCKERD).exists()


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


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    dockerd = shutil.which("dockerd") or DOCKERD
    for path in (engine_log(settings), engine_pid(settings)):
        path.parent.mkdir(parents=True, exist_ok=True)
    _forget_dead()
    with engine_log(settings).open("ab") as log:
        child = subprocess.Popen(
            [dockerd], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/"
        )
    engine_pid(settings).write_text(str(child.pid))
    return child


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
