"""builder: whether an app is built with Cloud Native Buildpacks, and by which builder image."""

from dataclasses import dataclass
from typing import Any

from builder.cnb_project import reference
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Verb, json_option, output, positional, record, say
from mothership.errors import Invalid
from mothership.model import Role

AUTO, CNB = "auto", "cnb"


@dataclass(frozen=True)
class BuilderArgs:
    app: str
    kind: str = positional("auto|cnb", default="")
    image: str = positional("IMAGE", default="")
    json: bool = json_option()


async def builder(house: House, caller: Session, args: BuilderArgs) -> None:
    app = house.app(args.app, caller.user)
    if args.kind:
        house.apps.set_builder(app, _chosen(args))
        output(caller, as_json=args.json).raw("It holds from the next build on. To build now: mothership redeploy")
        app = house.app(args.app, caller.user)
    if args.json:
        record(caller, {"builder": CNB if app.builder else AUTO, "image": app.builder or None})
    elif app.builder:
        say(caller, f"{app.name} is built with Cloud Native Buildpacks by {app.builder}.")
    else:
        say(caller, f"{app.name} is built by what its repository says.")


def _chosen(args: BuilderArgs) -> str:
    """The builder image that was asked for, "" for none. Raises Invalid."""
    if args.kind == CNB and args.image:
        return reference(args.image)
    if args.kind == AUTO and not args.image:
        return ""
    raise Invalid(
        f"{' '.join(filter(None, (args.kind, args.image)))[:80]!r} is no way to build.",
        "Such as: builder blog cnb heroku/builder:24, builder blog auto",
    )


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "builder",
        "Show or choose an app's Cloud Native Buildpacks builder.",
        BuilderArgs,
        builder,
        ("builder blog", "builder blog cnb heroku/builder:24", "builder blog auto"),
        role=Role.DEPLOYER,
        columns=("builder", "image?"),
        single=True,
    ),
)
