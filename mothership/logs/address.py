"""Where a drain leads, parsed from its URL, and the URL as it may be shown."""

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from mothership.errors import Invalid

PORTS = {"syslog": 514, "syslog+tls": 6514, "http": 80, "https": 443}
"""IANA's for syslog over TCP (by usage) and over TLS (RFC 5425)."""
LONGEST = 2048


@dataclass(frozen=True)
class Address:
    """A drain's scheme, host, port, and its user and password, "" when it has none. `url` is without these two."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    url: str


def address(text: str) -> Address:
    """Parse a drain's URL. Raises Invalid, never with a password in its words."""
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError:
        raise _invalid() from None
    if found.scheme not in PORTS or not found.hostname or len(text) > LONGEST or not _plain(text):
        raise _invalid()
    if found.scheme.startswith("syslog") and (found.path.strip("/") or found.query or found.username):
        raise Invalid("A syslog drain is a host and a port.", "Such as: syslog+tls://logs.example.com:6514")
    return Address(
        scheme=found.scheme,
        host=found.hostname,
        port=port or PORTS[found.scheme],
        user=unquote(found.username or ""),
        password=unquote(found.password or ""),
        url=found._replace(netloc=_host(found), fragment="").geturl(),
    )


def masked(text: str) -> str:
    """A drain's URL without what may be secret: the password, a lone user (often a token), the query's values."""
    found = urlsplit(text)
    who = ""
    if found.password is not None:
        who = f"{found.username or ''}:***@"
    elif found.username:
        who = "***@"
    keys = [pair.partition("=")[0] for pair in found.query.split("&") if pair]
    query = "&".join(f"{key}=***" for key in keys)
    return found._replace(netloc=who + _host(found), query=query, fragment="").geturl()


def _host(found: SplitResult) -> str:
    return found.netloc.rpartition("@")[2]


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _invalid() -> Invalid:
    return Invalid(
        "That is not the URL of a drain.",
        "Such as: syslog://HOST:PORT, syslog+tls://HOST:PORT, https://USER:PASSWORD@HOST/PATH",
    )
