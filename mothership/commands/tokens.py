"""tokens, tokens:create, tokens:revoke."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.credentials import described, expires_option, granted, only_option, role_option
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Listing, Verb, moment, positional, say, table


@dataclass(frozen=True)
class CreateArgs:
    name: str = positional("NAME")
    role: str = role_option()
    only: str = only_option()
    expires: str = expires_option()


@dataclass(frozen=True)
class TokenArgs:
    name: str = positional("NAME")


async def tokens(house: House, caller: Session, args: Listing) -> None:
    rows = [
        {
            "name": row["name"],
            "created": moment(row["created"]),
            "used": moment(row["used"] or ""),
            **described(row),
        }
        for row in house.accounts.tokens(caller.user)
    ]
    table(caller, rows, as_json=args.json, empty="You have no tokens. Make one: tokens:create NAME")


async def create(house: House, caller: Session, args: CreateArgs) -> None:
    grant = granted(house, caller.user, most=args.role, only=args.only, expires=args.expires)
    token = house.accounts.create_token(caller.user, args.name, grant)
    say(caller, token)
    caller.write_error(
        f"Keep it now; it is not shown again. Git over HTTP: {house.settings.url}/APP.git, "
        "any user name, the token as the password.\n".encode()
    )


async def revoke(house: House, caller: Session, args: TokenArgs) -> None:
    """Requests that came in with the token end."""
    house.accounts.revoke_token(caller.user, args.name)
    say(caller, f"Revoked {args.name}.")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "tokens",
        "List your access tokens.",
        Listing,
        tokens,
        reads=True,
        columns=(
            "name",
            "created: time",
            "used: time?",
            "role?",
            "only?",
            "expires: time?",
        ),
    ),
    Verb(
        "tokens:create",
        "Make an access token for git over HTTP and the API.",
        CreateArgs,
        create,
        ("tokens:create laptop", "tokens:create ci --role deployer --only blog --expires 90d"),
    ),
    Verb("tokens:revoke", "Take an access token back.", TokenArgs, revoke, ("tokens:revoke ci",)),
)
