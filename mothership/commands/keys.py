"""keys, keys:add, keys:remove."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Listing, Verb, positional, say, table


@dataclass(frozen=True)
class AddArgs:
    key: tuple[str, ...] = positional("PUBLIC-KEY", many=True)


@dataclass(frozen=True)
class RemoveArgs:
    fingerprint: str = positional("FINGERPRINT")


async def keys(house: House, caller: Session, args: Listing) -> None:
    table(caller, house.accounts.keys(caller.user), as_json=args.json, empty="You have no keys.")


async def add(house: House, caller: Session, args: AddArgs) -> None:
    key = house.accounts.add_key(caller.user, " ".join(args.key))
    say(caller, f"Added {key.fingerprint}.")


async def remove(house: House, caller: Session, args: RemoveArgs) -> None:
    house.accounts.remove_key(caller.user, args.fingerprint)
    say(caller, f"Removed {args.fingerprint}.")


VERBS: tuple[Verb[Any], ...] = (
    Verb("keys", "List your SSH keys.", Listing, keys, reads=True),
    Verb("keys:add", "Add an SSH key of yours.", AddArgs, add, ("keys:add ssh-ed25519 AAAA… me@laptop",)),
    Verb("keys:remove", "Remove an SSH key of yours.", RemoveArgs, remove, ("keys:remove SHA256:…",)),
)
