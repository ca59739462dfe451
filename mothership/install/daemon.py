"""The server as a service: a systemd unit where systemd runs, a detached process elsewhere."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from mothership.config import Settings
from mothership.errors import Unavailable
from mothership.install import process
from mothership.install.machine import has_systemd

PATIENCE = 60.0
UNIT = """\
[Unit]
Description=Mothership ({instance})
After=network-online.target docker.service
Wants=network-online.target docker.service

[Service]
ExecStart={python} -m mothership.cli serve --data {data}
Restart=always
RestartSec=2
KillMode=mixed
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
"""


def unit_path(settings: Settings) -> Path:
    return Path("/etc/systemd/system") / f"{settings.instance}.service"


def unit(settings: Settings) -> str:
    """The systemd unit's text (systemd.service(5))."""
    return UNIT.format(instance=settings.instance, python=sys.executable, data=settings.data)


def pid_path(settings: Settings) -> Path:
    return settings.data / "run" / "mothership.pid"


def log_path(settings: Settings) -> Path:
    return settings.data / "logs" / "daemon.log"


def running(settings: Settings) -> bool:
    """Whether the server's SSH door answers."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", settings.ssh_port), 1) as door:
        door.settimeout(2)
        return door.recv(4) == b"SSH-"
    return False


def ours(settings: Settings) -> bool:
    """Whether it is this installation's server that runs."""
    if _pid(settings):
        return True
    argv = ["systemctl", "is-active", "--quiet", unit_path(settings).stem]
    return has_systemd() and subprocess.run(argv, check=False).returncode == 0


async def start(settings: Settings, *, fresh: bool) -> None:
    """Start the server, or restart it when the program or its settings are `fresh`. Raises Unavailable."""
    if running(settings) and not fresh:
        return
    child = None
    if has_systemd():
        _install_unit(settings)
        subprocess.run(["systemctl", "restart", unit_path(settings).stem], check=True, capture_output=True)
    else:
        await stop(settings)
        child = _spawn(settings)
    await _eventually(lambda: running(settings) or (child is not None and child.poll() is not None))
    if not running(settings):
        raise Unavailable("The server does not start.", last_words(settings))


def last_words(settings: Settings) -> str:
    """The last lines that the server printed, and where there are more."""
    if has_systemd():
        argv = ["journalctl", "--unit", unit_path(settings).stem, "--lines", "5", "--output", "cat", "--no-pager"]
        printed = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        more = f"journalctl -u {unit_path(settings).stem}"
    else:
        printed = log_path(settings).read_text(errors="replace") if log_path(settings).exists() else ""
        more = str(log_path(settings))
    return "\n".join([*printed.splitlines()[-5:], f"More: {more}"])


async def stop(settings: Settings) -> None:
    """Stop the server; apps and proxy run on."""
    if has_systemd() and unit_path(settings).exists():
        subprocess.run(["systemctl", "disable", "--now", unit_path(settings).stem], check=False, capture_output=True)
    pid = _pid(settings)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        await _eventually(lambda: not _pid(settings), seconds=30)
    pid_path(settings).unlink(missing_ok=True)


def _install_unit(settings: Settings) -> None:
    path, text = unit_path(settings), unit(settings)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        subprocess.run(["systemctl", "daemon-reload"], check=True, capture_output=True)
    subprocess.run(["systemctl", "enable", path.stem], check=True, capture_output=True)


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    for path in (log_path(settings), pid_path(settings)):
        path.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "mothership.cli", "serve", "--data", str(settings.data)]
    with log_path(settings).open("ab") as log:
        child = subprocess.Popen(
            argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/"
        )
    pid_path(settings).write_text(str(child.pid))
    return child


def _pid(settings: Settings) -> int:
    """The pid of the detached server, 0 when it doesn't run; another program under that pid doesn't count."""
    return process.alive(pid_path(settings), lambda argv: "mothership.cli" in argv)


async def _eventually(check: Callable[[], bool], *, seconds: float = PATIENCE) -> bool:
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        if await asyncio.to_thread(check):
            return True
        await asyncio.sleep(0.1)
    return False
