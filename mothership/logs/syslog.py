"""Lines as syslog messages (RFC 5424), octet-counted (RFC 6587, section 3.4.1)."""

from collections.abc import Iterable

from mothership.logs.line import parts

FROM_APP = 190
"""local7.info, as Heroku has it: 23 × 8 + 6."""
FROM_PLATFORM = 45
"""syslog.notice, as Heroku has it: 5 × 8 + 5."""


def message(line: str, app: str) -> bytes:
    """A stored line as `<PRI>1 TIME HOST APP-NAME PROCID - - text`; the host is the app, APP-NAME app or mothership."""
    at, kind, process, text = parts(line)
    priority = FROM_APP if kind == "app" else FROM_PLATFORM
    return f"<{priority}>1 {at} {app} {kind} {process or '-'} - - {text}\n".encode(errors="replace")


def framed(lines: Iterable[str], app: str) -> bytes:
    """Messages behind one another, each after its length in bytes and a space."""
    return b"".join(b"%d %b" % (len(data), data) for data in (message(line, app) for line in lines))
