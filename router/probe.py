"""One HTTP request to one task alone, through the proxy, since only the proxy is on the overlay."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from router.table import Target

PACE = 0.1
FAILED = "X-Probe"
"""The header by which the proxy's own error is told from an app's."""

READ = 1 << 20
"""Bytes of an answer that are looked at."""


@dataclass(frozen=True)
class Reply:
    """What a task answered; `location` is where it redirects, "" when it doesn't."""

    status: int
    body: bytes
    location: str = ""


async def ask(
    socket: Path,
    target: Target,
    host: str,
    *,
    path: str = "/",
    headers: Iterable[tuple[str, str]] = (),
    timeout: float,
    scheme: str = "http",
) -> Reply:
    """`GET path` of the target; a redirect isn't followed. Raises ConnectionError, TimeoutError (seconds)."""
    async with asyncio.timeout(timeout):
        return await _ask(socket, target, host, path, headers, scheme)


async def answers(socket: Path, target: Target, host: str, scheme: str = "http") -> Reply:
    """What the target answers to `GET /`, with whatever status; it waits for as long as it takes."""
    while True:
        try:
            return await _ask(socket, target, host, "/", (), scheme)
        except ConnectionError:
            await asyncio.sleep(PACE)


async def _ask(
    socket: Path, target: Target, host: str, path: str, headers: Iterable[tuple[str, str]], scheme: str
) -> Reply:
    sent = {
        "Host": host,
        "User-Agent": "Mothership-Probe/1",
        "X-Forwarded-Proto": scheme,
        **dict(headers),
        "x-probe-address": target.address,
        "x-probe-port": str(target.port),
    }
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    try:
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)), timeout=timeout) as session,
            session.get(f"http://probe{path}", headers=sent, allow_redirects=False) as answer,
        ):
            if FAILED in answer.headers:
                raise ConnectionError("nothing answered")
            return Reply(answer.status, await answer.content.read(READ), answer.headers.get("Location", ""))
    except (aiohttp.ClientError, OSError) as error:
        raise ConnectionError(str(error) or type(error).__name__) from error
