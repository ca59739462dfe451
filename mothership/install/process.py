"""A process that was started earlier, known by its pid file."""

from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def alive(file: Path, is_it: Callable[[list[str]], bool], proc: Path = PROC) -> int:
    """The pid in a file while its process runs, else 0: not ended (and perhaps never reaped), not another program."""
    try:
        pid = int(file.read_text())
        argv = (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        state = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError, IndexError):
        return 0
    return pid if state != "Z" and is_it(argv) else 0
