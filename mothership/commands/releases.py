"""releases, rollback, redeploy, builds, builds:output."""

import re
from dataclasses import dataclass
from typing import Any

from hooks.post_receive import announce
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import AppListing, Verb, option, output, positional, table
from mothership.errors import Invalid, MothershipError, NotFound
from mothership.releases import Order


@dataclass(frozen=True)
class RollbackArgs:
    app: str
    version: str = positional("vN", default="")


@dataclass(frozen=True)
class RedeployArgs:
    app: str
    no_cache: bool = option("--no-cache", default=False, help="Build from scratch.")


@dataclass(frozen=True)
class BuildArgs:
    app: str
    build: str = positional("BUILD")


async def releases(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    rows = [
        {
            "release": f"v{release.version}",
            "status": release.status,
            "description": release.description,
            "user": release.user,
            "created": release.created[:19] + "Z",
        }
        for release in house.releases.list(app.name)
    ]
    table(caller, rows, as_json=args.json, empty=f"{app.name} has no release yet.")


async def rollback(house: House, caller: Session, args: RollbackArgs) -> None:
    """A new release from an old one's image, config and formation."""
    app = house.app(args.app, caller.user)
    out = output(caller)
    async with house.locks.hold(app.name, out):
        current = house.current(app)
        version = _version(args.version) if args.version else _previous(house, app.name, current.version)
        old = house.releases.get(app.name, version)
        if old.status == "failed":
            raise Invalid(f"v{version} of {app.name} never served.", f"See which did: releases {app.name}")
        before = house.apps.config(app)
        house.apps.replace_config(app, old.config)
        order = Order(
            app, old.image, old.config, old.commit, caller.user.name, f"Rollback to v{version}", old.formation
        )
        try:
            release = await house.shipper.ship(order, out)
        except BaseException:
            house.apps.replace_config(app, before)
            raise
        house.apps.scale(app, release.formation)
        announce(house.settings, release, out)


async def redeploy(house: House, caller: Session, args: RedeployArgs) -> None:
    app = house.app(args.app, caller.user)
    out = output(caller)
    async with house.locks.hold(app.name, out):
        await house.deployer.redeploy(app, caller.user, out, no_cache=args.no_cache)


async def builds(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    rows = [
        {
            "build": build.id,
            "status": build.status,
            "commit": build.commit[:12],
            "user": build.user,
            "started": build.started[:19] + "Z",
        }
        for build in house.builds.list(app.name)
    ]
    table(caller, rows, as_json=args.json, empty=f"{app.name} has no build yet.")


async def build_output(house: House, caller: Session, args: BuildArgs) -> None:
    app = house.app(args.app, caller.user)
    if args.build not in {build.id for build in house.builds.list(app.name, limit=1000)}:
        raise NotFound(f"{app.name} has no build {args.build[:60]!r}.", f"See its builds: builds {app.name}")
    path = house.settings.data / "builds" / app.name / f"{args.build}.log"
    try:
        caller.write(path.read_bytes())
    except OSError as error:
        raise MothershipError(f"The output of build {args.build} is gone: {error.strerror}.") from error


def _version(text: str) -> int:
    if not re.fullmatch(r"v?\d{1,9}", text):
        raise Invalid(f"{text[:40]!r} is not a release.", "Such as: rollback v12")
    return int(text.removeprefix("v"))


def _previous(house: House, app: str, current: int) -> int:
    for release in house.releases.list(app, limit=1000):
        if release.status == "superseded" and release.version < current:
            return release.version
    raise NotFound(f"{app} has no earlier release to go back to.", f"See its releases: releases {app}")


VERBS: tuple[Verb[Any], ...] = (
    Verb("releases", "List an app's releases.", AppListing, releases, ("releases blog",)),
    Verb(
        "rollback",
        "Release an earlier version's image, config and formation again.",
        RollbackArgs,
        rollback,
        ("rollback blog", "rollback blog v12"),
    ),
    Verb(
        "redeploy",
        "Build the deployed branch again and release it.",
        RedeployArgs,
        redeploy,
        ("redeploy blog", "redeploy blog --no-cache"),
    ),
    Verb("builds", "List an app's builds.", AppListing, builds, ("builds blog",)),
    Verb("builds:output", "Print what a build printed.", BuildArgs, build_output, ("builds:output blog BUILD",)),
)
