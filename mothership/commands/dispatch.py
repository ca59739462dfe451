"""From a line at a door to a verb's work, and from its errors to words and an exit status."""

import asyncio
import secrets
from typing import Any

from mothership.commands.house import House
from mothership.commands.parse import arguments, find, help_text, words
from mothership.commands.session import Session
from mothership.commands.table import VERBS
from mothership.commands.verb import Verb, ended, recorded, say
from mothership.errors import Invalid, MothershipError, Refused
from mothership.log import logger
from mothership.model import Role, known_name
from mothership.store import Entry

log = logger()
FAILED, MISUSED, BUG = 1, 2, 70
HELP = ("-h", "--help")
LONGEST = 500


class Dispatch:
    """The command table from a door's side (`mothership.doors.Commands`). Whatever door: every verb passes here."""

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
        return await self.perform(verb, arguments(verb, argv[1:]), session, door="ssh")

    async def perform(self, verb: Verb[Any], args: Any, session: Session, *, door: str) -> int:
        """Do a verb with arguments that are parsed, if the caller may; keep a record. Raises MothershipError."""
        if verb.app:
            known_name(args.app)
        try:
            self._permit(verb, args, session)
            code = await verb.perform(self._house, session, args) or 0
        except BaseException as error:
            if not verb.reads or isinstance(error, Refused):
                self._record(verb, args, session, door, _outcome(error))
            raise
        if not verb.reads:
            self._record(verb, args, session, door, "ok" if not code else f"exit status {code}")
        return code

    def _permit(self, verb: Verb[Any], args: Any, session: Session) -> None:
        user = session.user
        if verb.admin and not user.admin:
            raise Refused("Only an admin of this server may do that.")
        if not verb.app:
            if not verb.reads and user.limited:
                raise Refused(f"This key or token may not do {verb.name}: it was made for less.")
            return
        if not self._house.apps.exists(args.app):
            return
        role = self._house.apps.role(self._house.apps.get(args.app), user)
        if role is not None and role < verb.role:
            needed = f"an {verb.role.title}" if verb.role in (Role.OPERATOR, Role.OWNER) else f"a {verb.role.title}"
            raise Refused(
                f"{verb.name} is for {needed} of {args.app}; you are its {role.title} here.",
                f"Its owner can change that: access:add {args.app} {user.name} --role {verb.role.title}",
            )

    def _record(self, verb: Verb[Any], args: Any, session: Session, door: str, outcome: str) -> None:
        app = args.app if verb.app else ""
        entry = Entry(session.user.name, session.remote, door, verb.name, app, recorded(args)[:LONGEST], outcome)
        self._house.audit.record(entry)


def _outcome(error: BaseException) -> str:
    if isinstance(error, MothershipError):
        return f"{'refused' if isinstance(error, Refused) else 'failed'}: {error.message}"[:LONGEST]
    return "cancelled" if isinstance(error, asyncio.CancelledError) else "bug"


def _asks_help(argv: list[str], *, rest: bool) -> bool:
    if rest:
        return len(argv) == 2 and argv[1] in HELP
    before = argv[1 : argv.index("--")] if "--" in argv else argv[1:]
    return any(word in HELP for word in before)


def _explain(session: Session, error: MothershipError) -> None:
    text = error.message + (f"\n{error.hint}" if error.hint else "")
    session.write_error(ended("\n".join(f" !     {line}" for line in text.splitlines()), session))
