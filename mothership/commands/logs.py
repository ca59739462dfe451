"""logs, logs:search."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Verb, ended, option, positional, say
from mothership.errors import Invalid
from mothership.logs import Query, says_dropped, shown
from mothership.model import Role

MOST = 100_000
PROCESS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,29}(\.[0-9]{1,5})?")
AGO = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SINCE = "Only what came since: 10m, 2h, 1d, or an ISO time in UTC."


@dataclass(frozen=True)
class LogsArgs:
    app: str
    follow: bool = option("-f", "--tail", "--follow", default=False, help="Go on as lines come.")
    lines: int = option("-n", "--num", default=100, help="How many of the last lines.")
    process: str = option("-p", "--ps", default="", help="Only this process type, or web.1.")
    source: str = option("-s", "--source", default="", help="Only app, or only mothership.")
    since: str = option("--since", default="", help=SINCE)


@dataclass(frozen=True)
class SearchArgs:
    app: str
    words: tuple[str, ...] = positional("WORDS", many=True)
    lines: int = option("-n", "--num", default=100, help="How many of the last lines found.")
    since: str = option("--since", default="", help=SINCE)
    regex: bool = option("--regex", default=False, help="WORDS are an extended regular expression.")


async def logs(house: House, caller: Session, args: LogsArgs) -> None:
    app = house.app(args.app, caller.user)
    query = Query(_count(args.lines), (), "", _process(args.process), _source(args.source), since(args.since))
    journal = house.logs.of(app.name)
    reader = journal.subscribe()
    try:
        lines = await journal.find(query)
        await _print(caller, lines)
        if not args.follow:
            return
        known = set(lines)
        await _print(caller, [line for line in reader.take_now() if line not in known and _wanted(line, query)])
        while lines := await reader.take():
            await _print(caller, [line for line in lines if _wanted(line, query)])
    finally:
        journal.disconnect(reader)


async def search(house: House, caller: Session, args: SearchArgs) -> int:
    """Print the last lines that have all the words, or match the expression; like grep, 1 when there is none."""
    app = house.app(args.app, caller.user)
    words = tuple(word for word in args.words if word)
    if not words or any("\n" in word for word in words):
        raise Invalid("There is nothing to search for within a line.", "Such as: logs:search APP timeout")
    regex = " ".join(words) if args.regex else ""
    query = Query(_count(args.lines), () if args.regex else words, regex, since=since(args.since))
    lines = await house.logs.of(app.name).find(query)
    await _print(caller, lines)
    return int(not lines)


def _wanted(line: str, query: Query) -> bool:
    """Whether a follower is shown a line: what it asked for, and how much of it was dropped."""
    return query.wants(line) or says_dropped(line)


async def _print(caller: Session, lines: list[str]) -> None:
    """Lines as they are shown, a few at a time, as fast as the caller takes them."""
    for start in range(0, len(lines), 500):
        caller.write(b"".join(ended(shown(line), caller) for line in lines[start : start + 500]))
        await caller.drain()


def since(text: str, now: datetime | None = None) -> str:
    """The time that --since means, in ISO 8601 as lines have it, "" for none. Raises Invalid."""
    if not text:
        return ""
    try:
        if ago := AGO.fullmatch(text):
            at = (now or datetime.now(UTC)) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        else:
            at = datetime.fromisoformat(text)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"{text[:40]!r} is not a time.", "Such as: 10m, 2h, 1d, 2026-11-22T12:00") from None
    return at.isoformat(timespec="microseconds")


def _count(lines: int) -> int:
    return max(0, min(lines, MOST))


def _process(text: str) -> str:
    if text and not PROCESS.fullmatch(text):
        raise Invalid(f"{text[:40]!r} is not a process.", "Such as: --ps web, --ps web.1")
    return text


def _source(text: str) -> str:
    if text not in ("", "app", "mothership"):
        raise Invalid(f"{text[:40]!r} is not a source.", "It is app or mothership.")
    return text


@dataclass(frozen=True)
class RequestsArgs:
    app: str
    state: str = positional("on|off", default="")


async def requests(house: House, caller: Session, args: RequestsArgs) -> None:
    """Whether every request that the proxy hands to the app is a line in its log."""
    app = house.app(args.app, caller.user)
    if args.state not in ("", "on", "off"):
        raise Invalid(f"{args.state[:40]!r} is neither on nor off.", "Such as: logs:requests blog on")
    if args.state:
        house.apps.set_logged(app, args.state == "on")
        await house.router.set_logged(app.name, args.state == "on")
        app = house.app(args.app, caller.user)
    say(caller, f"Requests to {app.name} are {'' if app.logged else 'not '}logged.")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "logs",
        "Print what an app printed, and what became of it.",
        LogsArgs,
        logs,
        ("logs blog -f", "logs blog -n 1000 --ps worker", "logs blog --since 2h --source mothership"),
        role=Role.VIEWER,
        reads=True,
    ),
    Verb(
        "logs:search",
        "Print the lines that have all the words.",
        SearchArgs,
        search,
        ("logs:search blog timeout", "logs:search blog --regex 'status=5[0-9]+' --since 1d"),
        role=Role.VIEWER,
        reads=True,
    ),
    Verb(
        "logs:requests",
        "Say or choose whether requests to an app are logged.",
        RequestsArgs,
        requests,
        ("logs:requests blog on", "logs:search blog status=500"),
    ),
)
