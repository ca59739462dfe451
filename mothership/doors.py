"""What the doors need of the house: who is there, what a push means, what a verb does."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from mothership.commands.session import Session
from mothership.commands.verb import Verb
from mothership.model import Push, User
from mothership.output import Output


class Accounts(Protocol):
    """Who owns a key or a token. Both return None for a stranger, in about the same time as for a friend."""

    async def user_for_key(self, algorithm: str, data: bytes) -> User | None:
        """The owner of an SSH public key, by its binary form (RFC 4253, section 6.6)."""

    async def user_for_token(self, token: str) -> User | None:
        """The owner of an access token."""

    def turned_away(self, remote: str, door: str, what: str) -> None:
        """Somebody came with a key or token that is nobody's, and was not let in."""


class Pushes(Protocol):
    """What git's doors ask of the recipe behind them."""

    async def repository(self, app: str, user: User, *, write: bool) -> Path:
        """The app's bare repository; a first push creates the app when the user may. Raises MothershipError."""

    def receive(self, push: Push, out: Output) -> AbstractAsyncContextManager[None]:
        """Entering does what the push means and raises MothershipError to reject it (`.reason` is for git's report).

        Leaving comes after receive-pack has exited: the app's push lock is held until then. Entering may be
        cancelled when the client vanishes; nothing of the push is left then.
        """

    def nothing_new(self, app: str, out: Output) -> None:
        """Say what a push that found nothing to send could have been meant to do."""


class Commands(Protocol):
    """The command table, from a door's side."""

    async def run(self, line: str, session: Session) -> int:
        """Run one command line; its exit status. Never raises but for cancellation."""

    async def perform(self, verb: Verb[Any], args: Any, session: Session, *, door: str) -> int:
        """Do a verb whose arguments have been read; its exit status. Raises MothershipError, and what bugs raise."""
