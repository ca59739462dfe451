"""Following what a container prints, line by line with the engine's timestamps (Engine API, ContainerLogs)."""

from collections.abc import AsyncIterator

import aiohttp

from mothership.errors import EngineUnavailable

LONGEST = 16384


async def follow(socket_path: str, path: str, *, since: str) -> AsyncIterator[tuple[str, str]]:
    """Yield (RFC 3339 time, line) until the container of a logs path ends. Raises EngineUnavailable.

    `since` is a Unix time with nanoseconds, "0" for everything there is.
    """
    query = f"follow=1&stdout=1&stderr=1&timestamps=1&since={since}"
    url = f"http://engine{path}?{query}"
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket_path), timeout=timeout) as session,
            session.get(url) as answer,
        ):
            if answer.status != 200:
                return
            pending = {1: b"", 2: b""}
            async for channel, data in _frames(answer.content):
                *lines, rest = (pending[channel] + data).split(b"\n")
                if len(rest) > LONGEST:
                    lines, rest = [*lines, rest], b""
                pending[channel] = rest
                for line in lines:
                    time, _, text = line.decode(errors="replace").partition(" ")
                    yield time, text.rstrip("\r")
    except (aiohttp.ClientError, ConnectionError) as error:
        raise EngineUnavailable(f"The container engine stopped sending logs: {error}") from error


async def _frames(reader: aiohttp.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    while True:
        try:
            header = await reader.readexactly(8)
            yield (2 if header[0] == 2 else 1), await reader.readexactly(int.from_bytes(header[4:], "big"))
        except EOFError:
            return
