"""pipelines:promote, previews, previews:secrets: an app beside another one."""

from dataclasses import dataclass
from typing import Any

from hooks.recipe import announce
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import AppListing, Verb, moment, output, positional, say, table
from mothership.errors import Conflict, Invalid
from mothership.model import Role
from mothership.releases import Order


@dataclass(frozen=True)
class SecretsArgs:
    app: str
    state: str = positional("on|off", default="")


@dataclass(frozen=True)
class PromoteArgs:
    app: str
    target: str = positional("TARGET")


async def promote(house: House, caller: Session, args: PromoteArgs) -> None:
    """The target keeps its own config and formation, as on Heroku."""
    source, target = house.app(args.app, caller.user), house.app(args.target, caller.user)
    if source.name == target.name:
        raise Invalid(f"{source.name} can't be promoted to itself.", "Such as: pipelines:promote staging production")
    out = output(caller)
    async with house.locks.hold(target.name, out):
        release = house.current(source)
        if release.image.stack not in ("", house.settings.stack):
            raise Conflict(
                f"v{release.version} of {source.name} was built on the stack {release.image.stack}, and "
                f"{target.name} runs on {house.settings.stack}.",
                f"Build it anew first: redeploy {source.name}",
                reason="another stack",
            )
        out.step(f"Promoting v{release.version} of {source.name} to {target.name}")
        async with house.slots.take(target.name, out):
            image = await house.builder.shelf.copy(release.image, target.name)
        text = f"Promote {source.name} v{release.version}"
        order = Order(target, image, house.apps.config(target), release.commit, caller.user.name, text)
        announce(house.settings, await house.shipper.ship(order, out), out)


async def previews(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    rows = [
        {
            "preview": preview.name,
            "branch": preview.branch,
            "url": house.settings.app_url(preview.name),
            "expires": moment(preview.expires),
        }
        for preview in house.apps.previews(app.name)
    ]
    table(caller, rows, as_json=args.json, empty="No previews. Make one: git push mothership BRANCH:preview/NAME")


async def secrets(house: House, caller: Session, args: SecretsArgs) -> None:
    """Whether new previews of an app get its secret config vars."""
    app = house.app(args.app, caller.user)
    if args.state not in ("", "on", "off"):
        raise Invalid(f"{args.state[:40]!r} is neither on nor off.", "Such as: previews:secrets blog on")
    if args.state:
        house.apps.set_shares(app, args.state == "on")
        app = house.app(args.app, caller.user)
    say(caller, f"New previews of {app.name} {'get' if app.shares else 'do not get'} its secret config vars.")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "previews",
        "List the previews of an app.",
        AppListing,
        previews,
        ("previews blog",),
        role=Role.VIEWER,
        reads=True,
        columns=("preview", "branch", "url", "expires: time?"),
    ),
    Verb(
        "previews:secrets",
        "Say or choose whether previews get secret config vars.",
        SecretsArgs,
        secrets,
        ("previews:secrets blog on",),
    ),
    Verb(
        "pipelines:promote",
        "Release one app's image as another app, without a rebuild.",
        PromoteArgs,
        promote,
        ("pipelines:promote staging production",),
        role=Role.DEPLOYER,
    ),
)
