"""From a line at a door to a verb's work, and from its errors to words and an exit status."""

import asyncio
import secrets
from typing import Any

from mothership.commands.house import House
from mothership.commands.parse import arguments, find, help_text, words
from mothership.commands.session import Session
from mothership.commands.table import VERBS
from mothership.commands.verb import Verb, ended, say
from mothership.errors import Invalid, MothershipError
from mothership.log import logger
from mothership.model import known_name

log = logger()
FAILED, MISUSED, BUG = 1, 2, 70
HELP = ("-h", "--help")


class Dispatch:
    """The command table from a door's side (`mothership.doors.Commands`)."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def run(self, line: str, session: Session) -> int:
        """Run one command line; its exit status: 2 for a misuse, 70 for a bug of ours (sysexits.h)."""
        try:
            argv = words(line)
            return await self.call(argv, session)
        except asyncio.CancelledError:
            raise
        except MothershipError as error:
            _explain(session, error)
            return MISUSED if isinstance(error, Invalid) else FAILED
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("bug", reference=reference, user=session.user.name)
            text = f" !     Mothership hit a bug. The server's log has it under reference {reference}."
            session.write_error(ended(text, session))
            return BUG

    async def call(self, argv: list[str], session: Session) -> int:
        """Run a verb that is already split into words. Raises MothershipError."""
        if not argv or argv[0] in HELP:
            argv = ["help", *argv[1:]]
        verb = find(VERBS, argv[0])
        if _asks_help(argv, rest=verb.rest):
            say(session, help_text(verb))
            return 0
        return await self.perform(verb, arguments(verb, argv[1:]), session)

    async def perform(self, verb: Verb[Any], args: Any, session: Session) -> int:
        """Do a verb whose arguments have been read; every door comes through here. Raises MothershipError."""
        if verb.app:
            known_name(args.app)
        return await verb.perform(self._house, session, args) or 0


def _asks_help(argv: list[str], *, rest: bool) -> bool:
    if rest:
        return len(argv) == 2 and argv[1] in HELP
    before = argv[1 : argv.index("--")] if "--" in argv else argv[1:]
    return any(word in HELP for word in before)


def _explain(session: Session, error: MothershipError) -> None:
    text = error.message + (f"\n{error.hint}" if error.hint else "")
    session.write_error(ended("\n".join(f" !     {line}" for line in text.splitlines()), session))
