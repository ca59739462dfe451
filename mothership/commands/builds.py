"""builds, builds:output, builds:cancel."""

import asyncio
from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Verb, bounded, json_option, moment, option, positional, say, table
from mothership.errors import Conflict, MothershipError, NotFound
from mothership.model import Role
from mothership.store import Build

PACE = 0.1
CHUNK = 1 << 18


@dataclass(frozen=True)
class BuildsArgs:
    app: str
    num: int = option("-n", "--num", default=20, help="How many of the last ones.")
    json: bool = json_option()


@dataclass(frozen=True)
class OutputArgs:
    app: str
    build: str = positional("BUILD")
    follow: bool = option("-f", "--follow", default=False, help="Go on until the deploy has ended.")


@dataclass(frozen=True)
class BuildArgs:
    app: str
    build: str = positional("BUILD")


async def builds(house: House, caller: Session, args: BuildsArgs) -> None:
    app = house.app(args.app, caller.user)
    rows = [
        {
            "build": build.id,
            "status": build.status,
            "commit": build.commit[:12],
            "user": build.user,
            "started": moment(build.started),
            "source": build.source,
        }
        for build in house.builds.list(app.name, limit=bounded(args.num))
    ]
    table(caller, rows, as_json=args.json, empty=f"{app.name} has no build yet.")


async def show(house: House, caller: Session, args: OutputArgs) -> int:
    """Print what a build and its release printed; when it is followed, its failure is ours."""
    build = _build(house, house.app(args.app, caller.user).name, args.build)
    path = house.settings.data / "builds" / build.app / f"{build.id}.log"
    try:
        with path.open("rb") as file:
            while True:
                ended = build.status != "running"
                while data := file.read(CHUNK):
                    caller.write(data)
                    await caller.drain()
                if ended or not args.follow:
                    return int(args.follow and build.status != "succeeded")
                await asyncio.sleep(PACE)
                build = _build(house, build.app, build.id)
    except FileNotFoundError as error:
        if build.status == "running":
            raise Conflict(f"The build {build.id} still waits for its turn; it has no output yet.") from error
        raise MothershipError(f"The output of build {build.id} is gone.") from error


async def cancel(house: House, caller: Session, args: BuildArgs) -> None:
    """Stop a build, or the release that follows it; what served before goes on."""
    build = _build(house, house.app(args.app, caller.user).name, args.build)
    if not await house.running.cancel(build.id, caller.user.name):
        state = (
            "waits for its turn and can't be cancelled yet"
            if build.status == "running"
            else f"has ended ({build.status})"
        )
        raise Conflict(f"The build {build.id} {state}.", f"See the builds: builds {build.app}")
    say(caller, f"Cancelled {build.id}.")


def _build(house: House, app: str, build: str) -> Build:
    found = house.builds.find(app, build)
    if found is None:
        raise NotFound(f"{app} has no build {build[:60]!r}.", f"See its builds: builds {app}")
    return found


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "builds",
        "List an app's builds.",
        BuildsArgs,
        builds,
        ("builds blog",),
        role=Role.VIEWER,
        reads=True,
        columns=(
            "build",
            "status",
            "commit",
            "user",
            "started: time",
            "source",
        ),
    ),
    Verb(
        "builds:output",
        "Print what a build and its release printed.",
        OutputArgs,
        show,
        ("builds:output blog BUILD", "builds:output blog BUILD -f"),
        role=Role.VIEWER,
        reads=True,
    ),
    Verb(
        "builds:cancel",
        "Cancel a deploy that is under way.",
        BuildArgs,
        cancel,
        ("builds:cancel blog BUILD",),
        role=Role.DEPLOYER,
    ),
)
