"""The ways to a drain: a TCP connection, with or without TLS, and HTTP posts."""

import asyncio
import base64
import ssl
import uuid
from collections.abc import Sequence
from typing import Protocol

import aiohttp

from mothership.logs.address import Address
from mothership.logs.syslog import framed

PATIENCE = 15.0
"""Seconds for a connection and for each batch."""


class Refused(Exception):
    """The drain answered that it won't have these lines; they are not sent again."""


class Transport(Protocol):
    """A way to one drain."""

    async def send(self, lines: Sequence[str], app: str) -> None:
        """Send stored lines. Raises OSError, aiohttp.ClientError, TimeoutError, Refused."""

    async def close(self) -> None: ...


class Tcp:
    """Syslog over TCP or TLS; the connection is made when there is something to send."""

    def __init__(self, address: Address, context: ssl.SSLContext | None) -> None:
        self._address = address
        self._context = context
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, lines: Sequence[str], app: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                writer = await self._connected()
                writer.write(framed(lines, app))
                await writer.drain()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _connected(self) -> asyncio.StreamWriter:
        if self._streams and (self._streams[0].at_eof() or self._streams[1].is_closing()):
            await self.close()
        if not self._streams:
            self._streams = await asyncio.open_connection(
                self._address.host, self._address.port, ssl=self._context, limit=4096
            )
        return self._streams[1]


class Http:
    """Posts as Heroku's Logplex makes them: octet-counted syslog lines of type application/logplex-1."""

    def __init__(self, address: Address, context: ssl.SSLContext | None) -> None:
        self._address = address
        self._context = context
        self._token = f"d.{uuid.uuid4()}"
        self._session: aiohttp.ClientSession | None = None

    async def send(self, lines: Sequence[str], app: str) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE), trust_env=True)
        headers = {
            "Content-Type": "application/logplex-1",
            "Logplex-Msg-Count": str(len(lines)),
            "Logplex-Frame-Id": uuid.uuid4().hex,
            "Logplex-Drain-Token": self._token,
            "User-Agent": "Mothership",
            **self._authorization(),
        }
        async with self._session.post(
            self._address.url,
            data=framed(lines, app),
            headers=headers,
            ssl=self._context or True,
            allow_redirects=False,
        ) as answer:
            if 300 <= answer.status < 500 and answer.status not in (408, 429):
                raise Refused(f"it answered {answer.status}")
            if answer.status >= 300:
                raise OSError(f"it answered {answer.status}")

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    def _authorization(self) -> dict[str, str]:
        who = f"{self._address.user}:{self._address.password}"
        return {"Authorization": f"Basic {base64.b64encode(who.encode()).decode()}"} if who != ":" else {}


def transport(address: Address, context: ssl.SSLContext) -> Transport:
    """The way that a drain's scheme asks for."""
    if address.scheme.startswith("http"):
        return Http(address, context if address.scheme == "https" else None)
    return Tcp(address, context if address.scheme == "syslog+tls" else None)
