"""users, users:add, users:remove, access, access:add, access:remove."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import AppListing, Listing, Verb, hidden, option, positional, say, table
from mothership.errors import Invalid
from mothership.model import Role


@dataclass(frozen=True)
class AddUserArgs:
    name: str = positional("NAME")
    key: tuple[str, ...] = positional("PUBLIC-KEY", many=True, shown=hidden)
    admin: bool = option("--admin", default=False, help="May do everything on this server.")
    no_create: bool = option("--no-create", default=False, help="May not create apps.")


@dataclass(frozen=True)
class UserArgs:
    name: str = positional("NAME")


@dataclass(frozen=True)
class GrantArgs:
    app: str
    user: str = positional("USER")
    role: str = option("--role", default="operator", help="viewer, deployer or operator.")


@dataclass(frozen=True)
class RevokeArgs:
    app: str
    user: str = positional("USER")


async def users(house: House, caller: Session, args: Listing) -> None:
    rows = [{**row, "admin": bool(row["admin"]), "creates": bool(row["creates"])} for row in house.accounts.users()]
    table(caller, rows, as_json=args.json, empty="No users.")


async def add_user(house: House, caller: Session, args: AddUserArgs) -> None:
    with house.accounts.all_or_nothing():
        user = house.accounts.add_user(args.name, admin=args.admin, creates=not args.no_create)
        key = house.accounts.add_key(user, " ".join(args.key))
    say(caller, f"{user.name} may come in with the key {key.fingerprint}.")


async def remove_user(house: House, caller: Session, args: UserArgs) -> None:
    """Keys, tokens and open sessions go with a user; apps must have another owner first."""
    user = house.accounts.user(args.name)
    if user.id == caller.user.id:
        raise Invalid("You can't remove yourself.", "Another admin can.")
    house.accounts.remove_user(user)
    say(caller, f"{user.name} may not come in any more.")


async def access(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    owner = house.accounts.name(app.owner)
    rows = [{"user": owner, "role": "owner"}]
    rows += [{"user": row["user"], "role": Role(row["role"]).title} for row in house.apps.people(app)]
    table(caller, rows, as_json=args.json, empty="Nobody.")


async def grant(house: House, caller: Session, args: GrantArgs) -> None:
    app = house.app(args.app, caller.user)
    house.apps.grant(app, house.accounts.user(args.user), role(args.role))
    say(caller, f"{args.user} is {'an' if args.role == 'operator' else 'a'} {args.role} of {app.name}.")


async def revoke(house: House, caller: Session, args: RevokeArgs) -> None:
    app = house.app(args.app, caller.user)
    house.apps.revoke(app, house.accounts.user(args.user))
    say(caller, f"{args.user} has no access to {app.name} any more.")


def role(text: str) -> Role:
    """A role that can be given. Raises Invalid."""
    given = {each.title: each for each in Role if each is not Role.OWNER}
    if text not in given:
        raise Invalid(f"{text[:40]!r} is not a role that can be given.", f"There are: {', '.join(given)}.")
    return given[text]


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "users",
        "List the users of this server (admins).",
        Listing,
        users,
        admin=True,
        reads=True,
        columns=(
            "name",
            "admin: boolean",
            "creates: boolean",
            "keys: integer",
        ),
    ),
    Verb(
        "users:add",
        "Let somebody in by their SSH public key (admins).",
        AddUserArgs,
        add_user,
        ("users:add ada ssh-ed25519 AAAA… ada@laptop",),
        admin=True,
    ),
    Verb("users:remove", "Let somebody in no more (admins).", UserArgs, remove_user, ("users:remove ada",), admin=True),
    Verb(
        "access",
        "List who may use an app.",
        AppListing,
        access,
        ("access blog",),
        reads=True,
        columns=(
            "user",
            "role",
        ),
    ),
    Verb(
        "access:add",
        "Let another user use an app, as viewer, deployer or operator.",
        GrantArgs,
        grant,
        ("access:add blog ada", "access:add blog bob --role viewer"),
        role=Role.OWNER,
    ),
    Verb(
        "access:remove",
        "Take a user's access to an app away.",
        RevokeArgs,
        revoke,
        ("access:remove blog ada",),
        role=Role.OWNER,
    ),
)
