"""config, config:get, config:set, config:unset."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hooks.post_receive import may_skip
from hooks.recipe import announce
from mothership.commands.house import House
from mothership.commands.releases import skip_option
from mothership.commands.session import Session
from mothership.commands.verb import AppListing, Verb, key_only, option, output, positional, say, table
from mothership.errors import Invalid, MothershipError, NotFound, Refused
from mothership.model import CONFIG_KEY, PORT, Role
from mothership.output import SHORTEST_SECRET
from mothership.releases import Order
from mothership.store import App

LONGEST, MOST = 32 * 1024, 1024 * 1024
RESERVED = ("MOTHERSHIP_", "DYNO")
MASK = "********"


@dataclass(frozen=True)
class GetArgs:
    app: str
    key: str = positional("KEY")


@dataclass(frozen=True)
class SetArgs:
    app: str
    pairs: tuple[str, ...] = positional("KEY=VALUE", many=True, shown=key_only)
    secret: bool = option("--secret", default=False, help="Only operators read them; previews don't get them.")
    unset: str = option("--unset", default="", help="Remove these in the same release: KEY,KEY.")
    skip_release: bool = skip_option()


@dataclass(frozen=True)
class UnsetArgs:
    app: str
    keys: tuple[str, ...] = positional("KEY", many=True)
    skip_release: bool = skip_option()


@dataclass(frozen=True)
class Change:
    """Config vars to set, or with None to unset; `text` describes it."""

    values: Mapping[str, str | None]
    text: str
    secret: frozenset[str] = frozenset()
    skip_release: bool = False


async def show(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    hidden = _hidden(house, caller, app)
    rows = [{"key": key, "value": MASK if key in hidden else value} for key, value in house.apps.config(app).items()]
    table(caller, rows, as_json=args.json, empty=f"{app.name} has no config vars. Set one: config:set KEY=VALUE")


async def get(house: House, caller: Session, args: GetArgs) -> None:
    app = house.app(args.app, caller.user)
    values = house.apps.config(app)
    if args.key not in values:
        raise NotFound(f"{app.name} has no config var {args.key[:60]!r}.", f"See them all: config {app.name}")
    if args.key in _hidden(house, caller, app):
        raise Refused(f"{args.key} is a secret of {app.name}: it can be set, and read by its operators only.")
    say(caller, values[args.key])


async def set_(house: House, caller: Session, args: SetArgs) -> None:
    app = house.app(args.app, caller.user)
    changes = dict(_pair(text) for text in args.pairs)
    secret = frozenset(changes) if args.secret else frozenset()
    _can_be_hidden(changes, secret | house.apps.secrets(app))
    gone = args.unset.split(",") if args.unset else []
    _present(house, app, gone)
    text = f"Set {', '.join(changes)}" + (f", unset {', '.join(gone)}" if gone else "")
    change = Change({**dict.fromkeys(gone), **changes}, text, secret, skip_release=args.skip_release)
    await _apply(house, caller, app, change)


async def unset(house: House, caller: Session, args: UnsetArgs) -> None:
    app = house.app(args.app, caller.user)
    _present(house, app, args.keys)
    text = f"Unset {', '.join(args.keys)}"
    await _apply(house, caller, app, Change(dict.fromkeys(args.keys), text, skip_release=args.skip_release))


async def _apply(house: House, caller: Session, app: App, change: Change) -> None:
    """Ship a release with the changed config vars; when that fails, nothing has changed."""
    if change.skip_release:
        may_skip(app, caller.user)
    out = output(caller)
    async with house.locks.hold(app.name, out):
        old = house.apps.config(app)
        new = {key: value for key, value in {**old, **change.values}.items() if value is not None}
        current = house.releases.current(app.name)
        if new == old and change.secret <= house.apps.secrets(app):
            say(caller, "Nothing changed.")
            return
        if any(change.values.values()):
            _fits(new)
        if current is None or new == old:
            house.apps.replace_config(app, new, secret=change.secret)
            house.logs.of(app.name).note("api", f"{change.text} by {caller.user.name}")
            say(caller, f"{change.text}. It applies from the first release on." if current is None else change.text)
            return
        order = Order(
            app,
            current.image,
            new,
            current.commit,
            caller.user.name,
            change.text,
            phase=not change.skip_release,
            secret=change.secret,
        )
        try:
            told = out.hiding([*house.apps.secret_values(app), *(new[key] for key in change.secret if key in new)])
            release = await house.shipper.ship(order, told)
        except MothershipError as error:
            error.hint = f"{error.hint} v{current.version} still serves, and the config vars are as before.".strip()
            raise
        announce(house.settings, release, out)


def _hidden(house: House, caller: Session, app: App) -> frozenset[str]:
    """The config vars whose values the caller may not read."""
    role = house.apps.role(app, caller.user)
    return frozenset() if role and role >= Role.OPERATOR else house.apps.secrets(app)


def _present(house: House, app: App, keys: Iterable[str]) -> None:
    """Raises NotFound for a config var that isn't there."""
    missing = [key for key in keys if key not in house.apps.config(app)]
    if missing:
        raise NotFound(f"{app.name} has no config var {missing[0][:60]!r}.", f"See them all: config {app.name}")


def _can_be_hidden(values: Mapping[str, str], secret: frozenset[str]) -> None:
    """Raises Invalid for a secret that is too short to be hidden where it is printed."""
    for key in secret & set(values):
        if 0 < len(values[key]) < SHORTEST_SECRET:
            raise Invalid(
                f"{key} is a secret, and its value has fewer than {SHORTEST_SECRET} characters: it could not be hidden "
                "in what builds and releases print.",
                f"Choose a longer value, or make it no secret: config:unset {key}, then config:set without --secret.",
            )


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def _fits(new: Mapping[str, str]) -> None:
    """Raises Invalid for more than Swarm takes with one service."""
    size = sum(_size(key) + _size(value) + 2 for key, value in new.items())
    if size > MOST:
        raise Invalid(
            f"The config vars would be {size >> 10} KiB together, more than the {MOST >> 10} KiB that an app may have.",
            "Commit what is large and no secret as a file.",
            reason="config too large",
        )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not CONFIG_KEY.fullmatch(key):
        raise Invalid(
            f"{text[:40].partition('=')[0]!r} is not KEY=VALUE.",
            "Keys are letters, digits and underscores, not beginning with a digit: config:set DEBUG=1",
        )
    if key.startswith(RESERVED):
        raise Invalid(f"{key} is a variable that Mothership sets itself.")
    if key == "PORT" and not PORT.fullmatch(value):
        raise Invalid("PORT is where the web process listens: a number from 1 to 65535, which Mothership chooses else.")
    if "\0" in value or _size(value) > LONGEST:
        raise Invalid(f"The value of {key} is longer than {LONGEST // 1024} KiB or has a NUL character in it.")
    return key, value


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "config",
        "List an app's config vars.",
        AppListing,
        show,
        ("config blog",),
        role=Role.DEPLOYER,
        reads=True,
        columns=(
            "key",
            "value",
        ),
    ),
    Verb(
        "config:get",
        "Print one config var.",
        GetArgs,
        get,
        ("config:get blog DATABASE_URL",),
        role=Role.DEPLOYER,
        reads=True,
    ),
    Verb(
        "config:set",
        "Set config vars; makes a release.",
        SetArgs,
        set_,
        ("config:set blog DEBUG=1 GREETING='Hi there'",),
        role=Role.DEPLOYER,
    ),
    Verb(
        "config:unset",
        "Remove config vars; makes a release.",
        UnsetArgs,
        unset,
        ("config:unset blog DEBUG",),
        role=Role.DEPLOYER,
    ),
)
