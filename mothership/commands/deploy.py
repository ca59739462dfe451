"""deploy: what is not pushed. An archive, a repository that the server pulls, an image that exists."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from builder.fetch import file_address, git_address, shown
from builder.foreign import reference
from builder.procfile import parse
from hooks.commits import spooled
from hooks.deliver import Given, How, label
from hooks.post_receive import may_skip
from mothership.commands.house import House
from mothership.commands.releases import skip_option
from mothership.commands.session import Session
from mothership.commands.verb import Verb, option, output
from mothership.errors import Invalid
from mothership.model import Role, User, app_name
from mothership.store import App

SOURCES = "--tar -, --git URL, --url URL or --image NAME"
NO_FILES = "The server can't read a file of your machine."


def without_login(url: str) -> str:
    """A URL as it may stand in the audit trail."""
    scheme, _, rest = url.partition("://")
    return shown(f"{scheme}://{rest.rpartition('@')[2]}" if rest else url)


@dataclass(frozen=True)
class DeployArgs:
    app: str
    tar: str = option("--tar", default="", help="An archive from standard input: -. The client takes a file, too.")
    git: str = option("--git", default="", help="A repository to pull, URL or URL#REF.", shown=without_login)
    url: str = option("--url", default="", help="An archive to download.", shown=without_login)
    image: str = option("--image", default="", help="An image that exists, by its name.")
    process: tuple[str, ...] = option("--process", default=(), help="How an image's process runs: TYPE=COMMAND.")
    name: str = option("--name", default="", help="What to call the archive in the release's description.")
    no_cache: bool = option("--no-cache", default=False, help="Build from scratch.")
    detach: bool = option("--detach", default=False, help="Return at once; the server goes on by itself.")
    skip_release: bool = skip_option()


async def deploy(house: House, caller: Session, args: DeployArgs) -> None:
    """Deploy what was given; the exit status is 0 when it serves."""
    _check(args)
    app = await _app(house, caller.user, args.app)
    if args.skip_release:
        may_skip(app, caller.user)
    given = await _given(house, caller, args)
    how, out = How(no_cache=args.no_cache, phase=not args.skip_release), output(caller)
    if args.detach:
        house.deliveries.hand_over(app, caller.user, given, how, out)
        return
    await house.deliveries.deploy(app, caller.user, given, how, out)


def _check(args: DeployArgs) -> None:
    """Raises Invalid for anything but one source, well said."""
    given = [source for source in (args.tar, args.git, args.url, args.image) if source]
    if len(given) != 1:
        raise Invalid("Say what to deploy." if not given else "Deploy one thing at a time.", f"One of {SOURCES}.")
    if args.tar not in ("", "-"):
        raise Invalid(NO_FILES, f"Send it: ssh -p 2222 HOST deploy {args.app} --tar - < app.tar.gz")
    if args.process and not args.image:
        raise Invalid("--process is for images.", "Other sources have a Procfile.")
    if args.git:
        git_address(args.git)
    if args.url:
        file_address(args.url)
    if args.image:
        reference(args.image)
    processes(args.process)
    if "--" in args.app:
        raise Invalid(f"{args.app} is a preview.", "Previews are deployed by pushing their branch.")
    app_name(args.app)


async def _app(house: House, user: User, name: str) -> App:
    """The app; as with a push, one that isn't there is made when the user may. Raises NotFound."""
    if not house.apps.exists(name) and house.accounts.may_create(user) and not user.limited:
        house.apps.create(name, user)
    app = house.app(name, user)
    await house.repos.create(app.name, branch=app.branch)
    return app


async def _given(house: House, caller: Session, args: DeployArgs) -> Given:
    if args.git:
        address = git_address(args.git)
        return Given(address.shown, git=address)
    if args.url:
        place = file_address(args.url)
        return Given(label(args.name, "") or shown(place.url), archive=place)
    if args.image:
        return Given(args.image, image=reference(args.image), processes=processes(args.process))
    upload = await spooled(house.deliveries.scratch, _read(caller), house.deliveries.limit)
    return Given(label(args.name, "an archive"), upload=upload)


async def _read(caller: Session) -> AsyncIterator[bytes]:
    while data := await caller.read():
        yield data


def processes(given: tuple[str, ...]) -> Mapping[str, str]:
    """`TYPE=COMMAND` words as a Procfile would have them. Raises Invalid."""
    for word in given:
        kind, separator, line = word.partition("=")
        if not separator or not line.strip() or "\n" in word:
            raise Invalid(f"{word[:60]!r} is not TYPE=COMMAND.", "Such as: --process web='node server.js'")
    return parse("".join(f"{word.replace('=', ': ', 1)}\n" for word in given).encode()) if given else {}


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "deploy",
        "Deploy without a push: an archive, a repository's commit, or an image.",
        DeployArgs,
        deploy,
        (
            "deploy blog --tar - < app.tar.gz",
            "deploy blog --git https://git.example.com/ada/blog.git#main",
            "deploy blog --url https://example.com/blog-1.2.tar.gz",
            "deploy blog --image ghcr.io/ada/blog:1.2 --process web='node server.js'",
        ),
        role=Role.DEPLOYER,
        uploads=True,
    ),
)
