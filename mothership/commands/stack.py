"""stack:list, stack:build, stack:update, stack:rebase: what apps run on, and its security updates."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from builder.stack import known
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Verb, json_option, option, output, positional, say, table
from mothership.errors import MothershipError, NotFound
from mothership.model import Release
from mothership.output import Output
from mothership.releases import Order
from mothership.store import App

SHOWN = 12
"""Changed packages that are named; the others are counted."""


@dataclass(frozen=True)
class ListArgs:
    json: bool = json_option()


@dataclass(frozen=True)
class BuildArgs:
    extras: tuple[str, ...] = positional("EXTRA", many=True, default=())


@dataclass(frozen=True)
class UpdateArgs:
    deploy: bool = option("--deploy", default=False, help="Bring all apps onto the new stack, without building them.")


@dataclass(frozen=True)
class RebaseArgs:
    apps: tuple[str, ...] = positional("APP", many=True, default=())


async def stacks(house: House, caller: Session, args: ListArgs) -> None:
    rows = []
    for app in house.apps.visible(caller.user):
        release = house.releases.current(app.name)
        if release:
            rows.append({"app": app.name, "release": f"v{release.version}", **await _row(house, release)})
    table(caller, rows, as_json=args.json, empty="No app has a release yet.")


async def build(house: House, caller: Session, args: BuildArgs) -> None:
    """Have the stack's images ready before an app asks for them."""
    await house.builder.shelf.add_to_stack(args.extras, output(caller))
    say(
        caller,
        f"The stack {house.settings.stack} is ready" + (f", with {', '.join(args.extras)}." if args.extras else "."),
    )
    if not args.extras:
        say(caller, f"What it can have besides: {', '.join(known()) or 'nothing'}")


async def update(house: House, caller: Session, args: UpdateArgs) -> int:
    """Make the stack from today's packages; bring apps onto it when that is asked for."""
    out = output(caller)
    out.step(f"Making the stack {house.settings.stack} from today's packages")
    _tell(await house.builder.shelf.update_stack(out), out)
    if args.deploy:
        return await _rebase(house, caller, house.apps.all(), out)
    behind = [app.name for app in house.apps.all() if await _is_behind(house, app)]
    out.step(f"Not on it yet: {', '.join(behind)}" if behind else "Every app stands on it.")
    if behind:
        out.detail("Bring them onto it, without a build: stack:rebase")
    return 0


async def rebase(house: House, caller: Session, args: RebaseArgs) -> int:
    """Swap the layers below apps for today's; no app is built. Without names: all apps."""
    chosen = [house.app(name, caller.user) for name in args.apps] or house.apps.all()
    return await _rebase(house, caller, chosen, output(caller))


async def _rebase(house: House, caller: Session, chosen: Iterable[App], out: Output) -> int:
    behind = [app for app in chosen if await _is_behind(house, app)]
    if not behind:
        out.step("Nothing to do: every app that can stands on today's stack.")
    failed = [app.name for app in behind if not await _brought(house, caller, app, out)]
    if failed:
        out.error(f"Not brought onto today's stack: {', '.join(failed)}. What they served before goes on.")
    return int(bool(failed))


async def _brought(house: House, caller: Session, app: App, out: Output) -> bool:
    """Ship an app's release on the new stack. Whether it serves."""
    try:
        async with house.locks.hold(app.name, out):
            release = house.current(app)
            image = await house.builder.shelf.rebased(release.image)
            out.step(f"{app.name}: v{release.version} onto today's stack")
            order = Order(
                app,
                image,
                release.config,
                release.commit,
                caller.user.name,
                f"Stack update of v{release.version}",
                release.formation,
                phase=False,
            )
            await house.shipper.ship(order, out.hiding(house.apps.secret_values(app)))
            return True
    except MothershipError as error:
        for text in filter(None, (error.message, error.hint)):
            out.error(text)
        return False


async def _row(house: House, release: Release) -> dict[str, str]:
    if release.image.kind != "buildpack":
        return {"stack": "", "extras": "", "state": "own image"}
    try:
        found = await house.builder.shelf.standing(release.image)
    except NotFound:
        return {"stack": release.image.stack, "extras": "", "state": "image lost"}
    state = "current" if found.current else "behind"
    return {"stack": release.image.stack or house.settings.stack, "extras": " ".join(found.extras), "state": state}


async def _is_behind(house: House, app: App) -> bool:
    release = house.releases.current(app.name)
    return release is not None and (await _row(house, release))["state"] == "behind"


def _tell(changed: dict[str, tuple[str, str]], out: Output) -> None:
    if not changed:
        out.step("No package of the run image changed.")
        return
    out.step(f"{len(changed)} packages of the run image changed")
    for name, (old, new) in list(changed.items())[:SHOWN]:
        out.detail(f"{name} {old or 'new'} -> {new or 'gone'}")
    if len(changed) > SHOWN:
        out.detail(f"and {len(changed) - SHOWN} more")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "stack:list",
        "Show which stack each app runs on, and whether it is today's.",
        ListArgs,
        stacks,
        ("stack:list",),
        reads=True,
        columns=("app", "release", "stack", "extras", "state"),
    ),
    Verb(
        "stack:build",
        "Make the stack's images, and extras that languages need, ahead of time (admins).",
        BuildArgs,
        build,
        ("stack:build", "stack:build ruby java-21"),
        admin=True,
    ),
    Verb(
        "stack:update",
        "Make the stack from today's packages, and bring apps onto it without building them (admins).",
        UpdateArgs,
        update,
        ("stack:update", "stack:update --deploy"),
        admin=True,
    ),
    Verb(
        "stack:rebase",
        "Bring apps onto today's stack, without building them (admins).",
        RebaseArgs,
        rebase,
        ("stack:rebase", "stack:rebase blog shop"),
        admin=True,
    ),
)
