"""What a verb sees of the person who called it, whichever door they came through."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from mothership.model import User


@dataclass(frozen=True)
class Terminal:
    """The caller's terminal (RFC 4254, section 6.2): TERM and the size in characters."""

    term: str
    columns: int
    rows: int


@dataclass(frozen=True)
class Resize:
    """The caller's window changed (RFC 4254, section 6.7)."""

    columns: int
    rows: int


@dataclass(frozen=True)
class Signal:
    """The caller sent a signal (RFC 4254, section 6.9), by its name without SIG."""

    name: str


class Session(Protocol):
    """A caller: who they are, and their streams. When the caller vanishes, the verb's task is cancelled."""

    user: User
    terminal: Terminal | None
    remote: str
    """Where the caller comes from, an IP address."""

    def write(self, data: bytes) -> None:
        """Queue bytes for standard output."""

    def write_error(self, data: bytes) -> None:
        """Queue bytes for standard error."""

    async def drain(self) -> None:
        """Wait until the caller has taken enough of what was queued."""

    async def read(self, size: int = 65536) -> bytes:
        """Some bytes of standard input, b"" at its end."""

    def events(self) -> AsyncIterator[Resize | Signal]:
        """Window changes and signals, as they come."""
