"""checks, checks:disable, checks:enable, drain."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import AppListing, Verb, json_option, output, positional, record, say, table
from mothership.errors import Invalid
from mothership.model import PROCESS_NAME, Role
from mothership.releases.boot import ALL

LONGEST = 3600
COST = (
    "A release is taken for up as soon as it runs: one that crashes a moment later replaces one that works, "
    "and requests can fail while it boots."
)


@dataclass(frozen=True)
class ProcessesArgs:
    app: str
    processes: tuple[str, ...] = positional("TYPE", many=True, default=())


@dataclass(frozen=True)
class DrainArgs:
    app: str
    seconds: str = positional("SECONDS", default="")
    json: bool = json_option()


async def show(house: House, caller: Session, args: AppListing) -> None:
    """What a release of the app must pass, by process type."""
    app = house.app(args.app, caller.user)
    release = house.current(app)
    rows = []
    for process in release.formation:
        off = bool({process, ALL} & set(app.unchecked))
        for check in release.image.checks.get(process, ()):
            rows.append(
                {
                    "process": process,
                    "kind": check.kind,
                    "check": check.title,
                    "attempts": check.attempts,
                    "timeout": check.timeout,
                    "wait": check.wait,
                    "enabled": not off,
                }
            )
        if not any(check.kind == "startup" for check in release.image.checks.get(process, ())):
            what = "answers a request on $PORT" if process == "web" else "keeps running"
            seconds = house.settings.boot_timeout if process == "web" else house.settings.worker_uptime
            default = {"process": process, "kind": "startup", "check": f"{what} (default)"}
            rows.append({**default, "attempts": 1, "timeout": seconds, "wait": 0, "enabled": not off})
    table(caller, rows, as_json=args.json, empty=f"{app.name} has no process types yet.")


async def disable(house: House, caller: Session, args: ProcessesArgs) -> None:
    app = house.app(args.app, caller.user)
    processes = _named(args.processes) or (ALL,)
    house.apps.set_unchecked(app, tuple(sorted({*app.unchecked, *processes})))
    say(caller, f"Health checks of {app.name} are off for {_listed(processes)}, from the next release on. {COST}")
    say(caller, f"On again: checks:enable {app.name}")


async def enable(house: House, caller: Session, args: ProcessesArgs) -> None:
    app = house.app(args.app, caller.user)
    processes = _named(args.processes)
    left = tuple(process for process in app.unchecked if processes and process not in processes)
    house.apps.set_unchecked(app, left)
    still = f"; still off for {_listed(left)}" if left else ""
    say(caller, f"Health checks of {app.name} are on for {_listed(processes or (ALL,))}{still}.")


async def drain(house: House, caller: Session, args: DrainArgs) -> None:
    """How long requests, streams and WebSockets under way may go on when a process goes."""
    app = house.app(args.app, caller.user)
    if args.seconds:
        if not args.seconds.isdigit() or int(args.seconds) > LONGEST:
            raise Invalid(f"{args.seconds[:40]!r} is not a number of seconds from 0 to {LONGEST}.", "Such as: drain 60")
        house.apps.set_drain(app, int(args.seconds))
        app = house.app(args.app, caller.user)
        output(caller, as_json=args.json).raw("It holds from the next release on.")
    seconds = house.settings.drain if app.drain is None else app.drain
    if args.json:
        record(caller, {"seconds": seconds, "default": app.drain is None})
        return
    say(caller, f"Processes of {app.name} that go have {seconds} seconds for what they carry.")


def _named(processes: tuple[str, ...]) -> tuple[str, ...]:
    for process in processes:
        if not PROCESS_NAME.fullmatch(process):
            raise Invalid(f"{process[:40]!r} is not a process type.", "Types come from the Procfile: web, worker")
    return processes


def _listed(processes: tuple[str, ...]) -> str:
    return "all process types" if ALL in processes else ", ".join(processes)


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "checks",
        "Say what a release must pass to serve.",
        AppListing,
        show,
        ("checks blog",),
        role=Role.VIEWER,
        reads=True,
        columns=(
            "process",
            "kind",
            "check",
            "attempts: integer",
            "timeout: integer",
            "wait: integer",
            "enabled: boolean",
        ),
    ),
    Verb(
        "checks:disable",
        "Let releases serve without health checks.",
        ProcessesArgs,
        disable,
        ("checks:disable blog", "checks:disable blog worker"),
    ),
    Verb("checks:enable", "Turn health checks on again.", ProcessesArgs, enable, ("checks:enable blog",)),
    Verb(
        "drain",
        "Show or set how long a leaving process may finish.",
        DrainArgs,
        drain,
        ("drain blog 60",),
        columns=("seconds: integer", "default: boolean"),
        single=True,
    ),
)
