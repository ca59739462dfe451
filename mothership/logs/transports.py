"""The ways to a drain: a TCP connection, with or without TLS, and HTTP posts."""

import asyncio
import base64
import socket
import ssl
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import aiohttp

from mothership.logs.address import Address
from mothership.logs.reach import Reach, Resolver, bare, proxied
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

    def __init__(self, address: Address, context: ssl.SSLContext | None, reach: Reach | None = None) -> None:
        self._address = address
        self._context = context
        self._reach = reach
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
            self._streams = await self._connect()
        return self._streams[1]

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the first address that takes us, of those that were checked."""
        host, port = self._address.host, self._address.port
        hosts = await self._reach.addresses(host, port) if self._reach else [host]
        name = host if self._context else None
        for place in hosts:
            try:
                return await asyncio.open_connection(place, port, ssl=self._context, server_hostname=name, limit=4096)
            except OSError:
                if place == hosts[-1]:
                    raise
        raise OSError("its name has no address")


class Http:
    """Posts as Heroku's Logplex makes them: octet-counted syslog lines of type application/logplex-1."""

    def __init__(self, address: Address, context: ssl.SSLContext | None, reach: Reach | None = None) -> None:
        self._address = address
        self._context = context
        self._reach = reach
        self._token = f"d.{uuid.uuid4()}"
        self._session: aiohttp.ClientSession | None = None

    async def send(self, lines: Sequence[str], app: str) -> None:
        await self._look()
        if self._session is None:
            self._session = self._open()
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

    async def _look(self) -> None:
        """Check what the resolver isn't asked for: a bare address, and what a proxy will resolve."""
        host, port = self._address.host, self._address.port
        if self._reach and bare(host):
            await self._reach.addresses(host, port)
        elif self._reach and proxied(self._address.scheme, host):
            with suppress(socket.gaierror):  # a name that the proxy alone knows
                await self._reach.addresses(host, port)

    def _open(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        if self._reach is None or proxied(self._address.scheme, self._address.host):
            return aiohttp.ClientSession(timeout=timeout, trust_env=True)
        return aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(resolver=Resolver(self._reach), use_dns_cache=False)
        )

    def _authorization(self) -> dict[str, str]:
        who = f"{self._address.user}:{self._address.password}"
        return {"Authorization": f"Basic {base64.b64encode(who.encode()).decode()}"} if who != ":" else {}


def transport(address: Address, context: ssl.SSLContext, reach: Reach | None = None) -> Transport:
    """The way that a drain's scheme asks for; `reach` bounds where it may lead."""
    if address.scheme.startswith("http"):
        return Http(address, context if address.scheme == "https" else None, reach)
    return Tcp(address, context if address.scheme == "syslog+tls" else None, reach)
