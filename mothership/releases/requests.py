"""Requests to apps, as the proxy logs them, into the apps' own logs; only of apps that asked for it."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from mothership.applogs import AppLogs
from router import Router

NAME = "requests.sock"
BUFFER = 1 << 20
"""Bytes that the kernel holds for us; what comes faster than that is dropped by the proxy."""


MILLISECONDS = re.compile(r"\b((?:connect|service)=-?\d+)")


class Listener(asyncio.DatagramProtocol):
    """One datagram is one request: `SLOT SERVER field=value …`."""

    def __init__(self, router: Router, logs: AppLogs, dyno: Callable[[str], str]) -> None:
        self._router = router
        self._logs = logs
        self._dyno = dyno

    def datagram_received(self, data: bytes, addr: object) -> None:
        slot, _, rest = data.decode(errors="replace").strip().partition(" ")
        server, _, fields = rest.partition(" ")
        if app := self._router.app_of(slot):
            timed = MILLISECONDS.sub(r"\1ms", fields)
            self._logs.of(app).note("router", f"{timed} dyno={self._dyno(server) or '-'}")


@asynccontextmanager
async def logged(folder: Path, router: Router, logs: AppLogs, dyno: Callable[[str], str]) -> AsyncIterator[None]:
    """Take the proxy's lines during the block; `dyno` names a server, such as web.1.

    The proxy runs as somebody else, so the socket is open to all.
    """
    path = folder / NAME
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        door.setblocking(False)
        door.bind(str(path))
        path.chmod(0o666)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: Listener(router, logs, dyno), sock=door)
        try:
            yield
        finally:
            transport.close()
            path.unlink(missing_ok=True)
