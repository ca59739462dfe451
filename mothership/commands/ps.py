"""ps, ps:scale, ps:restart, limits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hooks.recipe import announce
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import (
    AppListing,
    AppOnly,
    Verb,
    json_option,
    moment,
    option,
    output,
    positional,
    say,
    table,
)
from mothership.errors import Invalid, NotFound
from mothership.model import Limits, Release, Role
from mothership.output import Output
from mothership.releases import Order
from mothership.store import App

MOST = 100
LEAST_MEMORY, MOST_MEMORY, MOST_CPU, MOST_PIDS = 16, 4_194_304, 1024, 4_194_304


@dataclass(frozen=True)
class ScaleArgs:
    app: str
    changes: tuple[str, ...] = positional("TYPE=N", many=True)


@dataclass(frozen=True)
class LimitsArgs:
    app: str
    process: str = positional("TYPE", default="")
    memory: int = option("--memory", default=0, help="MiB.")
    cpu: float = option("--cpu", default=0.0, help="Cores.")
    pids: int = option("--pids", default=0, help="Processes and threads.")
    json: bool = json_option()


async def ps(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    release = house.current(app)
    tasks = [t for t in await house.cluster.all_tasks(app.name) if t.release == release.version and not t.dead]
    rows = [
        {
            "process": f"{task.process}.{task.slot}",
            "state": "up" if task.running else task.state,
            "release": f"v{task.release}",
            "since": moment(task.since),
            "command": release.image.processes.get(task.process) or "(the image's own)",
        }
        for task in sorted(tasks, key=lambda t: (t.process, t.slot))
    ]
    idle = [process for process, count in release.formation.items() if not count]
    table(caller, rows, as_json=args.json, empty=f"Nothing of {app.name} runs. Start it: ps:scale {app.name} web=1")
    if idle and not args.json:
        say(caller, f"Not running: {', '.join(idle)}")


async def scale(house: House, caller: Session, args: ScaleArgs) -> None:
    app = house.app(args.app, caller.user)
    changes = dict(_change(text) for text in args.changes)
    out = output(caller)
    async with house.locks.hold(app.name, out):
        release = house.current(app)
        for process in changes:
            _known(release, process)
        scaled = await house.shipper.scale(app, changes, out, by=caller.user.name)
    say(caller, f"{app.name}: " + " ".join(f"{p}={n}" for p, n in scaled.formation.items()))


async def stop(house: House, caller: Session, args: AppOnly) -> None:
    """Nothing of the app runs until it is started again; what ran is remembered."""
    app = house.app(args.app, caller.user)
    out = output(caller)
    async with house.locks.hold(app.name, out):
        running = {process: n for process, n in house.current(app).formation.items() if n}
        if not running:
            say(caller, f"Nothing of {app.name} runs.")
            return
        house.apps.set_stopped(app, running)
        await house.shipper.scale(app, dict.fromkeys(running, 0), out, by=caller.user.name)
    say(caller, f"{app.name} is stopped. Start it again: ps:start {app.name}")


async def start(house: House, caller: Session, args: AppOnly) -> None:
    """What ran before the stop runs again."""
    app = house.app(args.app, caller.user)
    out = output(caller)
    async with house.locks.hold(app.name, out):
        known = house.current(app).formation
        wanted = {process: n for process, n in house.apps.stopped(app).items() if process in known}
        if not wanted:
            say(caller, f"{app.name} was not stopped. To run more of it: ps:scale {app.name} TYPE=N")
            return
        await house.shipper.scale(app, wanted, out, by=caller.user.name)
        house.apps.set_stopped(app, {})
    say(caller, f"{app.name}: " + " ".join(f"{p}={n}" for p, n in wanted.items()))


async def restart(house: House, caller: Session, args: AppOnly) -> None:
    """A restart is a release of the same things, so that no request is lost by it."""
    app = house.app(args.app, caller.user)
    out = output(caller)
    async with house.locks.hold(app.name, out):
        current = house.current(app)
        order = Order(
            app, current.image, house.apps.config(app), current.commit, caller.user.name, "Restart", phase=False
        )
        announce(house.settings, await house.shipper.ship(order, out), out)


async def limits(house: House, caller: Session, args: LimitsArgs) -> None:
    app = house.app(args.app, caller.user)
    changes = _changes(args)
    if changes:
        out = output(caller, as_json=args.json)
        async with house.locks.hold(app.name, out):
            await _limit(house, app, args.process, changes, by=caller.user.name, out=out)
        if not args.json:
            return
    known, current = house.apps.limits(app), house.releases.current(app.name)
    processes = {args.process} if args.process else {*known, *(current.formation if current else ())}
    rows = [{"process": p, **vars(known.get(p, Limits()))} for p in sorted(processes)]
    table(caller, rows, as_json=args.json, empty="No process types yet.")


async def _limit(house: House, app: App, process: str, changes: Mapping[str, float], *, by: str, out: Output) -> None:
    """Ship a release whose processes have other limits; when that fails, they are as before."""
    current = house.releases.current(app.name)
    if current:
        _known(current, process)
    before = house.apps.limits(app).get(process, Limits())
    quantity = int(process == "web")
    house.apps.limit(app, process, replace(before, **changes), quantity=quantity)  # type: ignore[arg-type]
    if current is None:
        return
    order = Order(app, current.image, house.apps.config(app), current.commit, by, f"Limit {process}", phase=False)
    try:
        announce(house.settings, await house.shipper.ship(order, out), out)
    except BaseException:
        house.apps.limit(app, process, before, quantity=quantity)
        raise


def _changes(args: LimitsArgs) -> dict[str, float]:
    """The limits that were named. Raises Invalid."""
    if not (0 <= args.memory <= MOST_MEMORY and 0 <= args.cpu <= MOST_CPU and 0 <= args.pids <= MOST_PIDS):
        raise Invalid(f"Limits go up to {MOST_MEMORY} MiB, {MOST_CPU} cores and {MOST_PIDS} processes.")
    if 0 < args.memory < LEAST_MEMORY:
        raise Invalid(f"Memory is at least {LEAST_MEMORY} MiB.")
    changes = {key: value for key in ("memory", "cpu", "pids") if (value := getattr(args, key))}
    if changes and not args.process:
        raise Invalid("The limits of which process type?", "Such as: limits blog web --memory 1024")
    return changes


def _known(release: Release, process: str) -> None:
    if process not in release.formation:
        raise NotFound(
            f"{release.app} has no process type {process[:30]!r}.",
            f"It has: {', '.join(release.formation) or 'none'}. Types come from the Procfile.",
        )


def _change(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"([A-Za-z][A-Za-z0-9_-]{0,29})=(\d{1,4})", text)
    if not match or int(match[2]) > MOST:
        raise Invalid(f"{text[:40]!r} is not TYPE=N with N from 0 to {MOST}.", "Such as: ps:scale web=2 worker=1")
    return match[1], int(match[2])


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "ps",
        "List an app's running processes.",
        AppListing,
        ps,
        ("ps blog",),
        role=Role.VIEWER,
        reads=True,
        columns=(
            "process",
            "state",
            "release",
            "since: time?",
            "command",
        ),
    ),
    Verb("ps:scale", "Set how many of each process type run.", ScaleArgs, scale, ("ps:scale blog web=2 worker=1",)),
    Verb("ps:stop", "Stop all of an app's processes.", AppOnly, stop, ("ps:stop blog",)),
    Verb("ps:start", "Start what ran before a stop.", AppOnly, start, ("ps:start blog",)),
    Verb("ps:restart", "Restart an app without losing a request.", AppOnly, restart, ("ps:restart blog",)),
    Verb(
        "limits",
        "Show or set what each process may use.",
        LimitsArgs,
        limits,
        ("limits blog", "limits blog worker --memory 1024 --cpu 0.5"),
        columns=("process", "memory: integer", "cpu: number", "pids: integer"),
    ),
)
