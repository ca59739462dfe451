"""Where drains may lead that anybody adds: not to this server's own doors, nor into its container networks."""

import asyncio
import errno
import ipaddress
import socket
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

from aiohttp import abc

from mothership.errors import MothershipError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a name, for a port; raises OSError for a name that is none."""

Subnets = Callable[[], Awaitable[Iterable[str]]]
FIB, IF_INET6 = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")
"""Every address of this machine (proc(5))."""

METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    )
)
"""What clouds tell their machines, where it isn't link-local: Alibaba, Azure, Oracle, Amazon, Google."""

OWN = "an address of this server itself"
THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
LIFE = 30.0
"""Seconds for which the engine's networks are taken to be as they were."""


class Forbidden(OSError):
    """A drain leads where only admins may send lines."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EACCES, why)


async def lookup(host: str, port: int) -> list[str]:
    """What the machine's resolver says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class Reach:
    """Finds the addresses that a name stands for, and refuses all of them if one is this server's own business.

    `subnets` gives those of the engine's networks; `proxy_port` is where apps are served, which anybody may reach.
    """

    def __init__(self, subnets: Subnets, *, proxy_port: int = 0, lookup: Lookup = lookup) -> None:
        self._subnets = subnets
        self._proxy_port = proxy_port
        self._lookup = lookup
        self._known: tuple[str, ...] = ()
        self._until = 0.0

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to, and no others. Raises Forbidden, and OSError for a name that is none."""
        addresses = await self._lookup(host, port)
        networks = await self._networks()
        for address in addresses:
            why = objection(address, networks, own_addresses())
            if why and not (why == OWN and port == self._proxy_port):
                raise Forbidden(f"{address} is {why}; only admins may send lines there")
        return addresses

    async def _networks(self) -> tuple[str, ...]:
        if time.monotonic() > self._until:
            with suppress(MothershipError):  # the engine is away: its networks are as they were
                self._known = tuple(await self._subnets())
                self._until = time.monotonic() + LIFE
        return self._known


def objection(text: str, networks: Iterable[str], own: Iterable[Address]) -> str:
    """What an address is that drains may not lead to, "" if they may."""
    address = plain(ipaddress.ip_address(text.partition("%")[0]))
    if address in METADATA or address.is_link_local:
        return "a link-local or metadata address"
    if any(address.version == net.version and address in net for net in map(_network, networks)):
        return "in a network of this server's containers"
    if address.is_loopback or address.is_unspecified or address in own:
        return OWN
    if address.is_multicast or address.is_reserved or address in THIS_NETWORK:
        return "no address of a machine"
    return ""


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only wraps (RFC 4291, 6052, 3056), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def own_addresses() -> frozenset[Address]:
    """Every address of this machine's interfaces."""
    found: set[Address] = set()
    with suppress(OSError):
        before = ""
        for line in FIB.read_text().splitlines():
            if line.endswith("host LOCAL"):
                found.add(ipaddress.ip_address(before.rpartition(" ")[2]))
            before = line
    with suppress(OSError):
        found |= {ipaddress.IPv6Address(int(line.split()[0], 16)) for line in IF_INET6.read_text().splitlines()}
    return frozenset(found)


def proxied(scheme: str, host: str) -> bool:
    """Whether the environment sends such requests to a proxy, which resolves the name itself."""
    return scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)


class Resolver(abc.AbstractResolver):
    """Lets aiohttp connect to the addresses that were found good, and to no others."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[abc.ResolveResult]:
        return [
            abc.ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._reach.addresses(host, port)
        ]

    async def close(self) -> None:
        """There is nothing to close."""


def bare(host: str) -> bool:
    """Whether a host is an address already."""
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text, strict=False)
