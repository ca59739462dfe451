"""Whether a task answers HTTP: one request to it alone, through the proxy, since only the proxy is on the overlay."""

import asyncio
from pathlib import Path

import aiohttp

from router.table import Target

PACE = 0.1
FAILED = "X-Probe"
"""The header by which the proxy's own error is told from an app's."""


async def answers(socket: Path, target: Target, host: str) -> None:
    """Return once `GET /` of the target has been answered, with whatever status; it waits for as long as it takes."""
    headers = {
        "Host": host,
        "User-Agent": "Mothership-Probe/1",
        "X-Forwarded-Proto": "http",
        "x-probe-address": target.address,
        "x-probe-port": str(target.port),
    }
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket)), timeout=timeout) as session:
        while True:
            try:
                async with session.get("http://probe/", headers=headers, allow_redirects=False) as answer:
                    if FAILED not in answer.headers:
                        return
            except (aiohttp.ClientError, ConnectionError):
                pass
            await asyncio.sleep(PACE)
