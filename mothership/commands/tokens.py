"""tokens, tokens:create, tokens:revoke."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Listing, Verb, positional, say, table


@dataclass(frozen=True)
class TokenArgs:
    name: str = positional("NAME")


async def tokens(house: House, caller: Session, args: Listing) -> None:
    rows = house.accounts.tokens(caller.user)
    table(caller, rows, as_json=args.json, empty="You have no tokens. Make one: tokens:create NAME")


async def create(house: House, caller: Session, args: TokenArgs) -> None:
    token = house.accounts.create_token(caller.user, args.name)
    say(caller, token)
    caller.write_error(
        f"Keep it now; it is not shown again. Git over HTTP: {house.settings.url}/APP.git, "
        "any user name, the token as the password.\n".encode()
    )


async def revoke(house: House, caller: Session, args: TokenArgs) -> None:
    house.accounts.revoke_token(caller.user, args.name)
    say(caller, f"Revoked {args.name}.")


VERBS: tuple[Verb[Any], ...] = (
    Verb("tokens", "List your access tokens.", Listing, tokens, reads=True),
    Verb("tokens:create", "Make an access token for git over HTTP.", TokenArgs, create, ("tokens:create ci",)),
    Verb("tokens:revoke", "Take an access token back.", TokenArgs, revoke, ("tokens:revoke ci",)),
)
