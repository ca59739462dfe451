"""releases, releases:info, rollback, redeploy."""

import json
import re
from dataclasses import dataclass
from typing import Any

from hooks.post_receive import may_skip
from hooks.recipe import announce
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Verb, bounded, json_option, moment, option, output, positional, say, table
from mothership.errors import Conflict, Invalid, NotFound
from mothership.model import Release, Role
from mothership.releases import Order


def skip_option() -> Any:
    return option("--skip-release", default=False, help="Leave out the release phase's commands.")


@dataclass(frozen=True)
class ReleasesArgs:
    app: str
    num: int = option("-n", "--num", default=20, help="How many of the last ones.")
    json: bool = json_option()


@dataclass(frozen=True)
class InfoArgs:
    app: str
    version: str = positional("vN", default="")
    json: bool = json_option()


@dataclass(frozen=True)
class RollbackArgs:
    app: str
    version: str = positional("vN", default="")
    dry_run: bool = option("--dry-run", default=False, help="Only say what would change.")
    skip_release: bool = skip_option()


@dataclass(frozen=True)
class RedeployArgs:
    app: str
    no_cache: bool = option("--no-cache", default=False, help="Build from scratch.")
    branch: bool = option("--branch", default=False, help="Build the deploy branch, whatever was deployed last.")
    skip_release: bool = skip_option()


async def releases(house: House, caller: Session, args: ReleasesArgs) -> None:
    app = house.app(args.app, caller.user)
    rows = [
        {
            "release": f"v{release.version}",
            "status": release.status,
            "description": release.description,
            "user": release.user,
            "created": moment(release.created),
        }
        for release in house.releases.list(app.name, limit=bounded(args.num))
    ]
    table(caller, rows, as_json=args.json, empty=f"{app.name} has no release yet.")


async def info(house: House, caller: Session, args: InfoArgs) -> None:
    """What one release is made of; config vars by name only."""
    app = house.app(args.app, caller.user)
    release = house.releases.get(app.name, _version(args.version)) if args.version else house.current(app)
    facts = {
        "release": f"v{release.version}",
        "status": release.status,
        "description": release.description,
        "user": release.user,
        "created": moment(release.created),
        "commit": release.commit or None,
        "image": release.image.digest,
        "size": release.image.size,
        "formation": dict(release.formation),
        "config": sorted(release.config),
        "processes": dict(release.image.processes),
    }
    if args.json:
        say(caller, json.dumps(facts, indent=2))
        return
    shown = {
        "size": f"{release.image.size / 1e6:.0f} MB",
        "formation": " ".join(f"{process}={n}" for process, n in release.formation.items()),
        "config": " ".join(sorted(release.config)),
    }
    for name, value in {**facts, **shown}.items():
        if name != "processes":
            say(caller, f"{name + ':':<13}{value or '-'}")
    for process, command in release.image.processes.items():
        say(caller, f"{process + ':':<13}{command or '(the image’s own command)'}")


async def rollback(house: House, caller: Session, args: RollbackArgs) -> None:
    """A new release from an old one's image, config and formation; the difference is shown first."""
    app = house.app(args.app, caller.user)
    if args.skip_release:
        may_skip(app, caller.user)
    out = output(caller)
    async with house.locks.hold(app.name, out):
        current = house.current(app)
        version = _version(args.version) if args.version else _previous(house, app.name, current.version)
        old = house.releases.get(app.name, version)
        await _usable(house, old, current)
        out.step(f"Rolling back {app.name} from v{current.version} to v{version}")
        for line in differences(current, old):
            out.detail(line)
        out.detail("Not rolled back: what is in databases, in other add-ons and in volumes.")
        if args.dry_run:
            return
        order = Order(
            app,
            old.image,
            old.config,
            old.commit,
            caller.user.name,
            f"Rollback to v{version}",
            old.formation,
            phase=not args.skip_release,
        )
        told = out.hiding(house.apps.secret_values(app))
        announce(house.settings, await house.shipper.ship(order, told), out)


async def redeploy(house: House, caller: Session, args: RedeployArgs) -> None:
    app = house.app(args.app, caller.user)
    if args.skip_release:
        may_skip(app, caller.user)
    out = output(caller)
    async with house.locks.hold(app.name, out):
        phase = not args.skip_release
        await house.deployer.redeploy(app, caller.user, out, no_cache=args.no_cache, phase=phase, branch=args.branch)


def differences(now: Release, then: Release) -> list[str]:
    """What a return from one release to another changes, a line each; config values are not shown."""
    lines = []
    if now.image.digest != then.image.digest:
        lines.append(f"image: {_source(now)} -> {_source(then)}")
    for key in sorted({*now.config, *then.config}):
        if key not in then.config:
            lines.append(f"config: {key} goes")
        elif key not in now.config:
            lines.append(f"config: {key} comes back")
        elif now.config[key] != then.config[key]:
            lines.append(f"config: {key} gets its earlier value")
    for process in sorted({*now.formation, *then.formation}):
        before, after = now.formation.get(process, 0), then.formation.get(process, 0)
        if before != after:
            lines.append(f"formation: {process} {before} -> {after}")
    return lines or ["Nothing differs: the same image, config and formation."]


def _source(release: Release) -> str:
    return f"{release.commit[:7]} (v{release.version})" if release.commit else f"v{release.version}"


async def _usable(house: House, old: Release, current: Release) -> None:
    """Raises Invalid, Conflict for a release that there is no way back to."""
    if old.status == "failed":
        raise Invalid(f"v{old.version} of {old.app} never served.", f"See which did: releases {old.app}")
    if old.version == current.version:
        raise Invalid(f"v{old.version} of {old.app} is what serves now.", f"See the others: releases {old.app}")
    if not await house.builder.shelf.has(old.image):
        raise Conflict(
            f"The image of v{old.version} is gone: the images of the last {house.settings.keep_releases} releases "
            "are kept.",
            f"Its source is still there: git push mothership {old.commit[:12] or 'COMMIT'}:{_branch(house, old)}",
            reason="the image is gone",
        )


def _branch(house: House, release: Release) -> str:
    return house.apps.get(release.app).branch


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
    Verb(
        "releases",
        "List an app's releases.",
        ReleasesArgs,
        releases,
        ("releases blog",),
        role=Role.VIEWER,
        reads=True,
        columns=(
            "release",
            "status",
            "description",
            "user",
            "created: time",
        ),
    ),
    Verb(
        "releases:info",
        "Say what a release is made of.",
        InfoArgs,
        info,
        ("releases:info blog v12",),
        role=Role.VIEWER,
        reads=True,
        columns=(
            "release",
            "status",
            "description",
            "user",
            "created: time",
            "commit?",
            "image",
            "size: integer",
            "formation: integer by name",
            "config: strings",
            "processes: string by name",
        ),
        single=True,
    ),
    Verb(
        "rollback",
        "Release an earlier version's image, config and formation again.",
        RollbackArgs,
        rollback,
        ("rollback blog", "rollback blog v12", "rollback blog v12 --dry-run"),
        role=Role.DEPLOYER,
    ),
    Verb(
        "redeploy",
        "Build what was deployed last again and release it.",
        RedeployArgs,
        redeploy,
        ("redeploy blog", "redeploy blog --no-cache", "redeploy blog --branch"),
        role=Role.DEPLOYER,
    ),
)
