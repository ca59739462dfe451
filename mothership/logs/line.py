"""A line as it is stored: `TIME WHOSE SOURCE[PROCESS]: text`; the parts before the source have fixed widths.

TIME has nanoseconds (`2026-11-22T12:00:00.000000000+00:00`), and WHOSE names the stream or task that said it, so that a
restarted daemon knows what it has already. A reader is shown Heroku's form, without WHOSE and with microseconds.
"""

import time
from datetime import UTC, datetime

TIME = 35
WHOSE = slice(36, 49)
HEAD = 50
OWN = "-" * 13
"""Whose the platform's own lines are."""


def stored(at: str, whose: str, source: str, text: str) -> str:
    """A line from its parts; `source` is such as `app[web.1]`, `whose` has 13 characters."""
    return f"{at} {whose} {source}: {text}"


def shown(line: str) -> str:
    """A stored line in Heroku's form: `2026-11-22T12:00:00.000000+00:00 app[web.1]: …`."""
    return f"{line[:26]}{line[29:36]}{line[HEAD:]}"


def dropped(at: str, count: int, why: str) -> str:
    """A line in the place of lines that were dropped."""
    return stored(at, OWN, "mothership[logs]", f"{count} lines were dropped here: {why}")


def missing(at: str, source: str) -> str:
    """A line in the place of lines that the engine had no room for before they were read."""
    text = f"lines of {source} may be missing here: it printed more than the engine keeps until it is read"
    return stored(at, OWN, "mothership[logs]", text)


def says_dropped(line: str) -> bool:
    """Whether a stored line stands for lines that were dropped, or are missing."""
    return line.startswith("mothership[logs]: ", HEAD)


def parts(line: str) -> tuple[str, str, str, str]:
    """Of a stored line: the time in ISO 8601 with microseconds, app or mothership, the process, the text."""
    source, _, text = line[HEAD:].partition(": ")
    kind, _, process = source.rstrip("]").partition("[")
    return f"{line[:26]}+00:00", kind, process, text


def engine_time(text: str) -> str:
    """A time of the engine's (RFC 3339 in UTC, up to nine decimals) as lines store it."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9.9}+00:00"


def unix_time(at: str, *, earlier: float = 0.0) -> str:
    """A stored time as a Unix time, some seconds earlier, as the engine takes it."""
    return f"{datetime.fromisoformat(at[:26] + '+00:00').timestamp() - earlier:.6f}"


class Clock:
    """The present as lines store it; no two answers are the same."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> str:
        self._last = max(time.time_ns(), self._last + 1)
        seconds, nanoseconds = divmod(self._last, 1_000_000_000)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}+00:00"
