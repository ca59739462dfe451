"""users, users:add, access:add, access:remove."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Listing, Verb, option, positional, say, table
from mothership.errors import Refused
from mothership.model import Role
from mothership.store import App


@dataclass(frozen=True)
class AddUserArgs:
    name: str = positional("NAME")
    key: tuple[str, ...] = positional("PUBLIC-KEY", many=True)
    admin: bool = option("--admin", default=False, help="May do everything on this server.")
    no_create: bool = option("--no-create", default=False, help="May not create apps.")


@dataclass(frozen=True)
class AccessArgs:
    app: str
    user: str = positional("USER")


async def users(house: House, caller: Session, args: Listing) -> None:
    _admins_only(caller)
    rows = [{**row, "admin": bool(row["admin"]), "creates": bool(row["creates"])} for row in house.accounts.users()]
    table(caller, rows, as_json=args.json, empty="No users.")


async def add_user(house: House, caller: Session, args: AddUserArgs) -> None:
    _admins_only(caller)
    with house.accounts.all_or_nothing():
        user = house.accounts.add_user(args.name, admin=args.admin, creates=not args.no_create)
        key = house.accounts.add_key(user, " ".join(args.key))
    say(caller, f"{user.name} may come in with the key {key.fingerprint}.")


async def grant(house: House, caller: Session, args: AccessArgs) -> None:
    app = _owned(house, caller, args.app)
    house.apps.grant(app, house.accounts.user(args.user))
    say(caller, f"{args.user} may deploy and operate {app.name}.")


async def revoke(house: House, caller: Session, args: AccessArgs) -> None:
    app = _owned(house, caller, args.app)
    house.apps.revoke(app, house.accounts.user(args.user))
    say(caller, f"{args.user} has no access to {app.name} any more.")


def _admins_only(caller: Session) -> None:
    if not caller.user.admin:
        raise Refused("Only an admin of this server may do that.")


def _owned(house: House, caller: Session, name: str) -> App:
    app = house.app(name, caller.user)
    if app.owner != caller.user.id and not caller.user.admin:
        raise Refused(f"Only the owner of {app.name} or an admin may do that.")
    return app


VERBS: tuple[Verb[Any], ...] = (
    Verb("users", "List the users of this server (admins).", Listing, users, reads=True, admin=True),
    Verb(
        "users:add",
        "Let somebody in by their SSH public key (admins).",
        AddUserArgs,
        add_user,
        ("users:add ada ssh-ed25519 AAAA… ada@laptop",),
        admin=True,
    ),
    Verb(
        "access:add",
        "Let another user deploy and operate an app.",
        AccessArgs,
        grant,
        ("access:add blog ada",),
        role=Role.OWNER,
    ),
    Verb(
        "access:remove",
        "Take a user's access to an app away.",
        AccessArgs,
        revoke,
        ("access:remove blog ada",),
        role=Role.OWNER,
    ),
)
