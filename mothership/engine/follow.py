"""Following what a container prints, line by line with the engine's timestamps, and which containers start."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import aiohttp

from mothership.errors import EngineUnavailable

HEADER = 8
Line = tuple[int, str, str]
"""1 for standard output or 2 for standard error, the RFC 3339 time, the text."""


async def follow(socket_path: str, path: str, *, since: str, wait: bool = True) -> AsyncGenerator[Line, None]:
    """Yield lines until the container of a logs path ends (Engine API, ContainerLogs). Raises EngineUnavailable.

    `since` is a Unix time with nanoseconds, "0" for everything there is. A line of more than 16 KiB comes in pieces,
    as the engine cuts it. Without `wait`, only what has been printed by now.
    """
    query = f"follow={int(wait)}&stdout=1&stderr=1&timestamps=1&since={since}"
    url = f"http://engine{path}?{query}"
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket_path), timeout=timeout) as session,
            session.get(url) as answer,
        ):
            if answer.status != 200:
                return
            frames = Frames()
            async for data in answer.content.iter_any():
                for line in frames.feed(data):
                    yield line
    except (aiohttp.ClientError, ConnectionError) as error:
        raise EngineUnavailable(f"The container engine stopped sending logs: {error}") from error


async def starts(socket_path: str, path: str, labels: list[str]) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """Yield (container, its labels) as containers with all these labels start (Engine API, SystemEvents).

    Raises EngineUnavailable.
    """
    query = {"filters": json.dumps({"type": ["container"], "event": ["start"], "label": labels})}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket_path), timeout=timeout) as session,
            session.get(f"http://engine{path}", params=query) as answer,
        ):
            async for line in answer.content:
                actor = json.loads(line).get("Actor") or {}
                yield str(actor.get("ID", "")), dict(actor.get("Attributes") or {})
    except (aiohttp.ClientError, ConnectionError, ValueError) as error:
        raise EngineUnavailable(f"The container engine stopped sending events: {error}") from error


class Frames:
    """The engine's multiplexed stream (Engine API, "Stream format"), one message of the log in each frame."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that these bytes complete."""
        data = self._rest + data
        start, end = 0, len(data)
        while end - start >= HEADER:
            body = start + HEADER
            after = body + int.from_bytes(data[start + 4 : body], "big")
            if after > end:
                break
            time, _, text = data[body:after].decode(errors="replace").partition(" ")
            yield (2 if data[start] == 2 else 1), time, text.rstrip("\r\n")
            start = after
        self._rest = data[start:]
