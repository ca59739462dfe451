"""keys, keys:add, keys:remove."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.credentials import described, expires_option, granted, only_option, role_option
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Listing, Verb, hidden, moment, positional, say, table


@dataclass(frozen=True)
class AddArgs:
    key: tuple[str, ...] = positional("PUBLIC-KEY", many=True, shown=hidden)
    role: str = role_option()
    only: str = only_option()
    expires: str = expires_option()


@dataclass(frozen=True)
class RemoveArgs:
    fingerprint: str = positional("FINGERPRINT")


async def keys(house: House, caller: Session, args: Listing) -> None:
    rows = [
        {
            **{name: row[name] for name in ("fingerprint", "algorithm", "comment")},
            "created": moment(row["created"]),
            "used": moment(row["used"] or ""),
            **described(row),
        }
        for row in house.accounts.keys(caller.user)
    ]
    table(caller, rows, as_json=args.json, empty="You have no keys.")


async def add(house: House, caller: Session, args: AddArgs) -> None:
    grant = granted(house, caller.user, most=args.role, only=args.only, expires=args.expires)
    key = house.accounts.add_key(caller.user, " ".join(args.key), grant)
    say(caller, f"Added {key.fingerprint}.")


async def remove(house: House, caller: Session, args: RemoveArgs) -> None:
    """Sessions that came in with the key end."""
    house.accounts.remove_key(caller.user, args.fingerprint)
    say(caller, f"Removed {args.fingerprint}.")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "keys",
        "List your SSH keys.",
        Listing,
        keys,
        reads=True,
        columns=(
            "fingerprint",
            "algorithm",
            "comment",
            "created: time",
            "used: time?",
            "role?",
            "only?",
            "expires: time?",
        ),
    ),
    Verb(
        "keys:add",
        "Add an SSH key of yours, or one that may do less.",
        AddArgs,
        add,
        (
            "keys:add ssh-ed25519 AAAA… me@laptop",
            "keys:add --role deployer --only blog --expires 26w ssh-ed25519 AAAA… ci",
        ),
    ),
    Verb("keys:remove", "Remove an SSH key of yours.", RemoveArgs, remove, ("keys:remove SHA256:…",)),
)
