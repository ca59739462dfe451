"""pipelines:promote: one app's image, released as another app, without a rebuild."""

from dataclasses import dataclass
from typing import Any

from hooks.recipe import announce
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Verb, output, positional
from mothership.errors import Conflict, Invalid
from mothership.model import Role
from mothership.releases import Order


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
            image = await house.builder.copy(release.image, target.name)
        text = f"Promote {source.name} v{release.version}"
        order = Order(target, image, house.apps.config(target), release.commit, caller.user.name, text)
        announce(house.settings, await house.shipper.ship(order, out), out)


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "pipelines:promote",
        "Release one app's image as another app, without a rebuild.",
        PromoteArgs,
        promote,
        ("pipelines:promote staging production",),
        role=Role.DEPLOYER,
    ),
)
