"""The gate between git's pre-receive hook and the daemon: a socket pair, one question, one answer."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mothership.errors import Invalid
from mothership.model import RefUpdate

VARIABLE = "MOTHERSHIP_GATE"
LIMIT = 1 << 20


@dataclass(frozen=True)
class Question:
    """May these refs move? Asked when the pack has been received and checked.

    `quarantine` is the directory with the new objects, "" when the push brings none.
    """

    updates: tuple[RefUpdate, ...]
    options: tuple[str, ...]
    quarantine: str


class Gate:
    """The daemon's end of the pair. What isn't answered is refused: closing the gate means no."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def question(self) -> Question | None:
        """Wait for the hook; None when receive-pack ended without asking. Raises Invalid."""
        try:
            quarantine = await self._field()
            options = [await self._field() for _ in range(int(await self._field()))]
            updates = [_update(line) async for line in self._fields()]
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except (asyncio.LimitOverrunError, UnicodeDecodeError, ValueError):
            raise Invalid("This push has a ref name or a push option that can't be read.", "Use UTF-8.") from None
        return Question(tuple(updates), tuple(options), quarantine)

    def answer(self, verdict: str) -> None:
        """Let the refs move with "ok"; anything else keeps them where they are."""
        self._writer.write(verdict.encode() + b"\n")

    async def _fields(self) -> AsyncIterator[str]:
        while field := await self._field():
            yield field

    async def _field(self) -> str:
        return (await self._reader.readuntil(b"\0"))[:-1].decode()


def _update(line: str) -> RefUpdate:
    old, new, ref = line.split(" ", 2)
    return RefUpdate(old, new, ref)


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[tuple[Gate, socket.socket]]:
    """A gate, and the end that the child inherits; close that end here as soon as the child has it."""
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=LIMIT)
        try:
            yield Gate(reader, writer), theirs
        finally:
            writer.close()


def install(directory: Path) -> Path:
    """Put the hook where git finds it, executable, however this package was installed; the directory."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = directory / ".pre-receive.new"
    scratch.write_bytes((files("receiver") / "shim" / "pre-receive").read_bytes())
    scratch.chmod(0o755)
    scratch.rename(directory / "pre-receive")
    return directory
