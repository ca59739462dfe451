"""Hijacked connections: the byte streams of an attached container or an exec (Engine API, "Stream format")."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from mothership.errors import EngineUnavailable

STDOUT, STDERR = 1, 2
CHUNK = 65536


class Stream:
    """A duplex byte stream to processes in a container; with `tty` there is one raw channel."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, tty: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._tty = tty

    async def write(self, data: bytes) -> None:
        """Send bytes to standard input, waiting while the other side is slow."""
        self._writer.write(data)
        await self._writer.drain()

    def close_input(self) -> None:
        """End standard input; output goes on."""
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()

    async def chunks(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield (STDOUT or STDERR, bytes) until the processes close their output."""
        if self._tty:
            while data := await self._reader.read(CHUNK):
                yield STDOUT, data
            return
        while True:
            try:
                header = await self._reader.readexactly(8)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            left = int.from_bytes(header[4:], "big")
            while left:
                data = await self._reader.read(min(left, CHUNK))
                if not data:
                    return
                left -= len(data)
                yield (STDERR if header[0] == STDERR else STDOUT), data

    async def lines(self, *, longest: int = 16384) -> AsyncIterator[str]:
        """Yield output lines of both channels as text; bad UTF-8 is replaced, a longer line is cut in pieces."""
        pending = {STDOUT: b"", STDERR: b""}
        async for channel, data in self.chunks():
            *whole, rest = (pending[channel] + data).split(b"\n")
            while len(rest) > longest:
                whole.append(rest[:longest])
                rest = rest[longest:]
            pending[channel] = rest
            for line in whole:
                for start in range(0, max(len(line), 1), longest):
                    yield line[start : start + longest].decode(errors="replace").rstrip("\r")
        for rest in pending.values():
            if rest:
                yield rest.decode(errors="replace").rstrip("\r")

    def close(self) -> None:
        self._writer.close()


async def hijack(socket_path: str, path: str, body: dict[str, Any] | None, *, tty: bool) -> Stream:
    """POST to the engine and take over the connection. Raises EngineUnavailable."""
    payload = json.dumps(body).encode() if body is not None else b""
    try:
        reader, writer = await asyncio.open_unix_connection(socket_path, limit=4 * CHUNK)
    except OSError as error:
        raise EngineUnavailable(
            f"The container engine at {socket_path} does not answer: {error.strerror}.",
            "Start it: systemctl start docker",
        ) from error
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: engine\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n\r\n".encode()
        + payload
    )
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        writer.close()
        raise EngineUnavailable("The container engine closed the connection.") from error
    status = head.split(b" ", 2)[1]
    if status not in (b"101", b"200"):
        text = (await reader.read(4096)).decode(errors="replace")
        writer.close()
        raise EngineUnavailable(f"The container engine refused a stream: {text.strip()}")
    return Stream(reader, writer, tty=tty)
