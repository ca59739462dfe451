"""buildpacks, buildpacks:set, buildpacks:add, buildpacks:remove, buildpacks:clear: an app's buildpacks, in order."""

from dataclasses import dataclass
from typing import Any

from builder.packs import pack, printable
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Verb, json_option, option, positional, say, table
from mothership.errors import Conflict, Invalid, NotFound
from mothership.model import Role
from mothership.store import App


@dataclass(frozen=True)
class BuildpacksArgs:
    app: str
    json: bool = json_option()


@dataclass(frozen=True)
class SetArgs:
    app: str
    buildpacks: tuple[str, ...] = positional("BUILDPACK", many=True)
    index: int = option("-i", "--index", default=0, help="Replace only the one at this place, from 1.")


@dataclass(frozen=True)
class AddArgs:
    app: str
    buildpack: str = positional("BUILDPACK")
    index: int = option("-i", "--index", default=0, help="Put it at this place, from 1, instead of at the end.")


@dataclass(frozen=True)
class RemoveArgs:
    app: str
    buildpack: str = positional("BUILDPACK", default="")
    index: int = option("-i", "--index", default=0, help="Remove the one at this place, from 1.")


@dataclass(frozen=True)
class ClearArgs:
    app: str


async def buildpacks(house: House, caller: Session, args: BuildpacksArgs) -> None:
    app = house.app(args.app, caller.user)
    rows = [{"place": str(place), "buildpack": printable(name)} for place, name in enumerate(app.buildpacks, 1)]
    table(caller, rows, as_json=args.json, empty=f"{app.name}'s buildpack is detected at each build.")


async def replace(house: House, caller: Session, args: SetArgs) -> None:
    """Set all buildpacks, or the one at a place."""
    app = house.app(args.app, caller.user)
    if not args.index:
        _store(house, caller, app, args.buildpacks)
        return
    if len(args.buildpacks) > 1:
        raise Invalid("--index replaces one buildpack; several were given.")
    _within(app, args.index)
    others = list(app.buildpacks)
    others[args.index - 1] = args.buildpacks[0]
    _store(house, caller, app, tuple(others))


async def add(house: House, caller: Session, args: AddArgs) -> None:
    app = house.app(args.app, caller.user)
    found = list(app.buildpacks)
    if args.index:
        _within(app, args.index, more=1)
    found.insert(args.index - 1 if args.index else len(found), args.buildpack)
    _store(house, caller, app, tuple(found))


async def remove(house: House, caller: Session, args: RemoveArgs) -> None:
    app = house.app(args.app, caller.user)
    found = list(app.buildpacks)
    if args.index:
        _within(app, args.index)
        del found[args.index - 1]
    elif args.buildpack in found:
        found.remove(args.buildpack)
    else:
        raise NotFound(
            f"{app.name} has no buildpack {printable(args.buildpack)!r}.", f"See what it has: buildpacks {app.name}"
        )
    _store(house, caller, app, tuple(found))


async def clear(house: House, caller: Session, args: ClearArgs) -> None:
    _store(house, caller, house.app(args.app, caller.user), ())


def _store(house: House, caller: Session, app: App, names: tuple[str, ...]) -> None:
    """Keep them in this order. Raises Invalid for what is no buildpack, Conflict for one that is there twice."""
    for name in names:
        pack(name, house.settings.buildpacks)
        if names.count(name) > 1:
            raise Conflict(f"{printable(name)} is there already.", f"See what {app.name} has: buildpacks {app.name}")
    house.apps.set_buildpacks(app, names)
    if names:
        say(caller, f"{app.name} is built with: " + ", then ".join(printable(name) for name in names))
    else:
        say(caller, f"{app.name}'s buildpack is detected at each build.")
    say(caller, "The next push does so. To build again now: mothership redeploy")


def _within(app: App, index: int, *, more: int = 0) -> None:
    if not 1 <= index <= len(app.buildpacks) + more:
        count = len(app.buildpacks)
        raise Invalid(f"There is no place {index}: {app.name} has {count} buildpack{'' if count == 1 else 's'}.")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "buildpacks",
        "List the buildpacks of an app, in the order they run.",
        BuildpacksArgs,
        buildpacks,
        ("buildpacks blog",),
        role=Role.VIEWER,
        reads=True,
        columns=("place", "buildpack"),
    ),
    Verb(
        "buildpacks:set",
        "Choose the buildpacks of an app, in their order.",
        SetArgs,
        replace,
        (
            "buildpacks:set blog heroku/nodejs heroku/python",
            "buildpacks:set blog https://github.com/you/buildpack.git#v2 --index 1",
        ),
        role=Role.DEPLOYER,
    ),
    Verb(
        "buildpacks:add",
        "Add a buildpack, at the end or at a place.",
        AddArgs,
        add,
        ("buildpacks:add blog heroku/nodejs --index 1",),
        role=Role.DEPLOYER,
    ),
    Verb(
        "buildpacks:remove",
        "Remove a buildpack by its name or its place.",
        RemoveArgs,
        remove,
        ("buildpacks:remove blog heroku/nodejs", "buildpacks:remove blog --index 1"),
        role=Role.DEPLOYER,
    ),
    Verb(
        "buildpacks:clear",
        "Have an app's buildpack detected at each build.",
        ClearArgs,
        clear,
        ("buildpacks:clear blog",),
        role=Role.DEPLOYER,
    ),
)
