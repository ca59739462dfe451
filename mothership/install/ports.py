"""Who holds a TCP port."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mothership.errors import Conflict

LISTEN = "0A"


def holder(port: int, proc: Path = Path("/proc")) -> str:
    """The process that listens on a TCP port, as `name (pid 123)`; "" when nobody does (proc(5))."""
    inodes = set(_inodes(port, proc))
    if not inodes:
        return ""
    for process in proc.glob("[0-9]*"):
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()) in inodes:
                        return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return "a process that can't be seen from here"


def refuse_taken(port: int, flag: str, *, allowed: bool) -> None:
    """Raise Conflict naming who holds the port and the flag that chooses another; `allowed` when it is ours."""
    if allowed:
        return
    who = holder(port)
    if who:
        raise Conflict(f"Port {port} is taken by {who}.", f"Stop it, or choose another port: scripts/up {flag} PORT")


def _inodes(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for row in (proc / "net" / table).read_text().splitlines()[1:]:
                cells = row.split()
                if cells[3] == LISTEN and int(cells[1].rsplit(":", 1)[1], 16) == port:
                    yield f"socket:[{cells[9]}]"
