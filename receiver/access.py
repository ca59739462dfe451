"""Who a request over HTTP comes from, and whether its token may travel that way."""

import asyncio
import base64
import ipaddress
import socket
import weakref

from aiohttp import hdrs, web

from mothership.config import Settings
from mothership.doors import Accounts
from mothership.model import User
from mothership.store.accounts import token_mark

REALM = 'Basic realm="Mothership", charset="UTF-8"'
PLAIN = """\
This server doesn't take access tokens over plain HTTP from another machine: anybody on the way could read them.
Push over SSH instead, or ask an admin for HTTPS (or to set insecure_tokens in mothership.toml).
"""
ASK = "Give an access token as the password, with any user name. `tokens:create` over SSH makes one.\n"
STRANGER = "That access token is not valid. `tokens:create` over SSH makes a new one.\n"


class OpenRequests:
    """The requests that are being answered, by the mark of the token they came with."""

    def __init__(self) -> None:
        self._tasks: dict[str, weakref.WeakSet[asyncio.Task[object]]] = {}

    def enter(self, mark: str) -> None:
        """The current task answers a request with this token."""
        if task := asyncio.current_task():
            self._tasks.setdefault(mark, weakref.WeakSet()).add(task)

    def revoked(self, mark: str) -> None:
        """End the requests of a token that is taken away, but not the one that takes it away."""
        for task in self._tasks.pop(mark, weakref.WeakSet()):
            if task is not asyncio.current_task():
                task.cancel()


OPEN = web.AppKey("open", OpenRequests)


async def caller(request: web.Request, settings: Settings, accounts: Accounts) -> User:
    """The user whose token a request carries. Raises HTTPForbidden and HTTPUnauthorized, with the reason as text."""
    if not (settings.insecure_tokens or _private(request)):
        raise web.HTTPForbidden(text=PLAIN)
    tokens = _tokens(request.headers.get(hdrs.AUTHORIZATION, ""))
    for token in tokens:
        if user := await accounts.user_for_token(token):
            request.app[OPEN].enter(token_mark(token))
            return user
    if tokens:
        accounts.turned_away(remote(request) or "this machine", "http", "a token that is nobody's")
    raise web.HTTPUnauthorized(text=STRANGER if tokens else ASK, headers={hdrs.WWW_AUTHENTICATE: REALM})


def remote(request: web.Request) -> str:
    """The client's address as the proxy saw it; "" for a client on this machine's own socket.

    The proxy adds its line last; whatever stands before it is the client's own say-so.
    """
    return _last(request, hdrs.X_FORWARDED_FOR)


def this_machine(address: str) -> bool:
    """Whether an address is one of this host's own: loopback, an interface, or a container bridge's gateway."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_loopback or _can_bind(ip)


def _private(request: web.Request) -> bool:
    """Whether nobody between the client and this machine can read along."""
    address = remote(request)
    return not address or _last(request, hdrs.X_FORWARDED_PROTO) == "https" or this_machine(address)


def _last(request: web.Request, header: str) -> str:
    values = request.headers.getall(header, [])
    return values[-1].rpartition(",")[2].strip() if values else ""


def _can_bind(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Only a host's own addresses can be bound; unspecified and multicast ones could too, but are nobody's."""
    if ip.is_unspecified or ip.is_multicast:
        return False
    with socket.socket(socket.AF_INET if ip.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(ip), 0))
        except OSError:
            return False
    return True


def _tokens(authorization: str) -> list[str]:
    """What may be the token: the password, else the user name (RFC 7617), or a bearer's (RFC 6750)."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return [credentials.strip()] if credentials.isascii() else []
    if scheme.lower() != "basic":
        return []
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:  # damaged, or not even ASCII
        return []
    return [token for token in (password, user) if token]
