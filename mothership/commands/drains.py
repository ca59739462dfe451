"""drains (logs:drains), drains:add, drains:remove."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import AppListing, Verb, positional, say, table
from mothership.errors import NotFound
from mothership.logs.address import masked

COLUMNS = ("drain: integer", "url", "sent: integer", "dropped: integer", "trouble?")


def _recorded(word: str) -> str:
    """A URL, or what was given for one, as it may stand in the audit trail."""
    try:
        return masked(word) if "://" in word else word
    except ValueError:
        return "…"


@dataclass(frozen=True)
class DrainArgs:
    app: str
    url: str = positional("URL", shown=_recorded)


async def drains(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    rows = [
        {
            "drain": drain.id,
            "url": masked(drain.url),
            "sent": report.sent,
            "dropped": report.dropped,
            "trouble": report.trouble or None,
        }
        for drain, report in house.logs.outlets.all(app.name)
    ]
    table(caller, rows, as_json=args.json, empty=f"{app.name} has no drains. Add one: drains:add {app.name} URL")


async def add(house: House, caller: Session, args: DrainArgs) -> None:
    app = house.app(args.app, caller.user)
    drain = await house.logs.outlets.add(app.name, args.url, anywhere=caller.user.admin)
    house.logs.of(app.name).note("api", f"Drain {masked(drain.url)} added by {caller.user.name}")
    say(caller, f"{app.name}'s lines go to {masked(drain.url)} from now on.")


async def remove(house: House, caller: Session, args: DrainArgs) -> None:
    """Remove a drain, by its URL as it was given or as it is shown, or by its number."""
    app = house.app(args.app, caller.user)
    for drain, _ in house.logs.outlets.all(app.name):
        if args.url in (str(drain.id), drain.url, masked(drain.url)):
            await house.logs.outlets.remove(drain)
            house.logs.of(app.name).note("api", f"Drain {masked(drain.url)} removed by {caller.user.name}")
            say(caller, f"{app.name}'s lines no longer go to {masked(drain.url)}.")
            return
    raise NotFound(f"{app.name} has no such drain.", f"See its drains: drains {app.name}")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "drains",
        "List where an app's lines are sent.",
        AppListing,
        drains,
        ("drains blog",),
        reads=True,
        columns=COLUMNS,
    ),
    Verb(
        "logs:drains",
        "List where an app's lines are sent.",
        AppListing,
        drains,
        ("logs:drains blog",),
        reads=True,
        columns=COLUMNS,
    ),
    Verb(
        "drains:add",
        "Send an app's lines on, by syslog or HTTPS.",
        DrainArgs,
        add,
        ("drains:add blog syslog+tls://logs.example.com:6514", "drains:add blog https://user:password@example.com/in"),
    ),
    Verb("drains:remove", "Send them there no more.", DrainArgs, remove, ("drains:remove blog 3",)),
)
