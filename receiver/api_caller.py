"""A caller over HTTP: what a verb says to them becomes lines, kept or passed on as they come."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from mothership.commands.session import Resize, Signal
from mothership.errors import Invalid
from mothership.model import User

KEPT = 8 * 1024 * 1024
"""Bytes of output that an answer in one piece may have."""

UNSENT = 1 << 18
"""Bytes that may wait for a client that streams before the verb is made to wait too."""

LONGEST = 1 << 16
"""Bytes of a line; a longer one is cut in pieces."""

Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True)
class Line:
    """One line of standard output or standard error, without its end."""

    stream: Stream
    text: str


class Caller:
    """The session (mothership.commands.session.Session) of a request: no terminal or signals; input is an upload's."""

    terminal = None

    def __init__(
        self,
        user: User,
        remote: str,
        *,
        streams: bool,
        whole: bool = False,
        body: AsyncIterator[bytes] | None = None,
    ) -> None:
        self.user = user
        self.remote = remote
        self.lines: list[Line] = []
        self.data = bytearray()
        """Standard output as it came, with `whole`: what is JSON needs no lines."""
        self._streams = streams
        self._body = body
        self._whole = whole
        self._size = 0
        self.ended = False
        self._rest: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self._taken = asyncio.Event()
        self._arrived = asyncio.Event()

    # What the verb sees.

    def write(self, data: bytes) -> None:
        if self._whole:
            self.data += data
            self._size += len(data)
        else:
            self._add("stdout", data)

    def write_error(self, data: bytes) -> None:
        self._add("stderr", data)

    async def drain(self) -> None:
        """Wait for a client that streams. Raises Invalid when one that doesn't has been told too much."""
        if not self._streams and self._size > KEPT:
            raise Invalid(
                f"That is more than {KEPT >> 20} MiB of output, too much for one answer.",
                "Ask for less, or for a stream: Accept: text/event-stream",
                reason="too much output",
            )
        while self._streams and self._size > UNSENT:
            self._taken.clear()
            await self._taken.wait()

    async def read(self, size: int = 65536) -> bytes:
        return await anext(self._body, b"") if self._body else b""

    async def events(self) -> AsyncIterator[Resize | Signal]:
        return
        yield

    # What the API sees.

    def end(self) -> None:
        """Nothing more comes: what has no line's end yet is a line too."""
        for stream, rest in self._rest.items():
            if rest:
                self._rest[stream] = b""
                self._line(stream, rest)
        self.ended = True
        self._arrived.set()

    def take(self) -> list[Line]:
        """The lines that have come since the last time."""
        lines, self.lines, self._size = self.lines, [], 0
        self._taken.set()
        if not self.ended:
            self._arrived.clear()
        return lines

    async def arrival(self) -> None:
        """Wait for a line, or the end."""
        await self._arrived.wait()

    def texts(self, stream: Stream) -> list[str]:
        return [line.text for line in self.lines if line.stream == stream]

    def _add(self, stream: Stream, data: bytes) -> None:
        *whole, rest = (self._rest[stream] + data).split(b"\n")
        for line in whole:
            self._line(stream, line)
        while len(rest) > LONGEST:
            self._line(stream, rest[:LONGEST])
            rest = rest[LONGEST:]
        self._rest[stream] = rest

    def _line(self, stream: Stream, line: bytes) -> None:
        self.lines.append(Line(stream, line.removesuffix(b"\r").decode(errors="replace")))
        self._size += len(line) + 1
        self._arrived.set()
