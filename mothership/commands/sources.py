"""deploykey, registries, registries:add, registries:remove: what private repositories and images ask for."""

from dataclasses import dataclass
from typing import Any

import asyncssh

from builder.foreign import reference
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import AppListing, Verb, hidden, option, positional, say, table
from mothership.errors import Invalid, NotFound
from mothership.model import Role
from mothership.store.doors import Login

LONGEST = 4096


@dataclass(frozen=True)
class KeyArgs:
    app: str
    renew: bool = option("--renew", default=False, help="Make a new one; the old one no longer works.")


@dataclass(frozen=True)
class AddArgs:
    app: str
    host: str = positional("HOST")
    user: str = positional("USER")
    password: str = positional("PASSWORD", default="", shown=hidden)


@dataclass(frozen=True)
class RemoveArgs:
    app: str
    host: str = positional("HOST")


async def deploykey(house: House, caller: Session, args: KeyArgs) -> None:
    """Print the public key; the first call makes it. Its private half never leaves the server."""
    app = house.app(args.app, caller.user)
    known = house.deploy_keys.find(app.name)
    if known is None or args.renew:
        key = asyncssh.generate_private_key("ssh-ed25519", comment=f"{app.name}@{house.settings.domain}")
        private, public = key.export_private_key().decode(), key.export_public_key().decode().strip()
        house.deploy_keys.put(app.name, private, public)
        house.logs.of(app.name).note("api", f"Deploy key made by {caller.user.name}")
        known = house.deploy_keys.find(app.name)
    assert known
    say(caller, known.public)


async def registries(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    rows = [{"registry": login.host, "user": login.user} for login in house.logins.of(app.name)]
    table(caller, rows, as_json=args.json, empty=f"{app.name} has no registry logins; public images need none.")


async def add(house: House, caller: Session, args: AddArgs) -> None:
    """The password comes as the last word, or from standard input, where no list of processes shows it."""
    app = house.app(args.app, caller.user)
    host = _host(args.host)
    password = args.password or (await _read(caller)).strip()
    if not password or not args.user.strip():
        raise Invalid("A user and a password are needed.", "The password may come from standard input.")
    house.logins.put(app.name, Login(host, args.user, password))
    say(caller, f"{app.name} pulls from {host} as {args.user} from now on.")


async def remove(house: House, caller: Session, args: RemoveArgs) -> None:
    app = house.app(args.app, caller.user)
    if not house.logins.remove(app.name, _host(args.host)):
        raise NotFound(f"{app.name} has no login for {args.host[:100]}.", f"See them: registries {app.name}")
    say(caller, f"{app.name} no longer has a login for {args.host}.")


def _host(text: str) -> str:
    """A registry's name. Raises Invalid."""
    try:
        return reference(f"{text}/any/image").host if "/" not in text else _refuse(text)
    except Invalid:
        return _refuse(text)


def _refuse(text: str) -> str:
    raise Invalid(f"{text[:60]!r} is not a registry's host.", "Such as: ghcr.io or registry.example.com:5000")


async def _read(caller: Session) -> str:
    data = b""
    while len(data) < LONGEST and (more := await caller.read(LONGEST)):
        data += more
    return data.decode(errors="replace")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "deploykey",
        "Print the public key by which private repositories let the app in.",
        KeyArgs,
        deploykey,
        ("deploykey blog", "deploykey blog --renew"),
    ),
    Verb(
        "registries",
        "List the logins by which an app's images are pulled.",
        AppListing,
        registries,
        ("registries blog",),
        role=Role.DEPLOYER,
        reads=True,
        columns=("registry", "user"),
    ),
    Verb(
        "registries:add",
        "Give an app a registry's login.",
        AddArgs,
        add,
        ("registries:add blog ghcr.io ada < password.txt",),
    ),
    Verb("registries:remove", "Forget a registry's login.", RemoveArgs, remove, ("registries:remove blog ghcr.io",)),
)
