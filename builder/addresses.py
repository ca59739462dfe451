"""Which hosts somebody may have the server fetch from: none that only the server itself is meant to reach."""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence

from mothership.errors import Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


async def allow(host: str, internal: Sequence[str]) -> None:
    """Raises Refused for a host that is or resolves to an internal address and that no admin has allowed.

    A name that doesn't resolve here is let through: whoever fetches finds out.
    """
    name = host.strip("[]").rstrip(".").lower()
    if named(name, internal):
        return
    if not name or name == "localhost" or name.endswith(".localhost"):
        raise _refused(host)
    for address in await _addresses(name):
        if not public(address) and not named(str(address), internal):
            raise _refused(host)


def public(address: Address) -> bool:
    """Whether an address is one of the internet's."""
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    address = mapped or address
    return address.is_global and not address.is_multicast


def named(host: str, internal: Iterable[str]) -> bool:
    """Whether an admin has allowed an internal host: by its name, its address, or a network that has it."""
    for entry in internal:
        if entry.lower() == host:
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False


async def _addresses(name: str) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _refused(host: str) -> Refused:
    return Refused(
        f"{host[:100]} is inside of the server's own network; nothing is fetched from there.",
        "An admin can allow it by its name or address: internal_hosts in mothership.toml.",
        reason="internal address",
    )
