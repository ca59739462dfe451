"""help, version, whoami."""

import json
from dataclasses import dataclass
from typing import Any

from mothership import __version__
from mothership.commands.house import House
from mothership.commands.parse import find, help_text
from mothership.commands.session import Session
from mothership.commands.verb import Listing, Verb, positional, say


@dataclass(frozen=True)
class HelpArgs:
    verb: str = positional("COMMAND", default="")


async def help_(house: House, caller: Session, args: HelpArgs) -> None:
    from mothership.commands.table import VERBS

    if args.verb:
        say(caller, help_text(find(VERBS, args.verb)))
        return
    say(caller, "Mothership: git push mothership main, and the app is serving.")
    say(caller)
    width = max(len(name) for name in VERBS)
    for name, verb in VERBS.items():
        say(caller, f"  {name.ljust(width)}  {verb.summary}")
    say(caller)
    say(caller, "help COMMAND shows a command's options and examples.")


async def version(house: House, caller: Session, args: Listing) -> None:
    if args.json:
        say(caller, f'{{"version": "{__version__}"}}')
        return
    say(caller, f"mothership {__version__}")


async def whoami(house: House, caller: Session, args: Listing) -> None:
    if args.json:
        say(caller, json.dumps({"user": caller.user.name, "admin": caller.user.admin}))
        return
    say(caller, caller.user.name + (" (admin)" if caller.user.admin else ""))


VERBS: tuple[Verb[Any], ...] = (
    Verb("help", "Say what there is to do.", HelpArgs, help_, ("help", "help run"), reads=True),
    Verb("version", "Print the server's version.", Listing, version, reads=True, columns=("version",), single=True),
    Verb(
        "whoami",
        "Print who you are to this server.",
        Listing,
        whoami,
        reads=True,
        columns=(
            "user",
            "admin: boolean",
        ),
        single=True,
    ),
)
