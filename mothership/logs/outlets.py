"""The drains at work: each has a bounded queue, and tries again with growing pauses while its other end is away."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from mothership.errors import Conflict
from mothership.errors import Refused as NotAllowed
from mothership.log import logger
from mothership.logs.address import address, masked
from mothership.logs.backlog import Backlog
from mothership.logs.journal import Journal
from mothership.logs.reach import Forbidden, Reach
from mothership.logs.transports import Refused, transport
from mothership.store.drains import Drain, Drains

log = logger()
QUEUE = 10_000
"""Lines that wait for a drain at most."""
MOST = 10
"""Drains of one app."""
BATCH = 500
GATHER = 0.05
"""Seconds in which lines gather to be sent together."""
LOOK = 5.0
"""Seconds for the name of a drain that is added."""
SLOWEST = 60.0
"""Seconds between two tries at most."""


@dataclass
class Report:
    """How a drain does since the daemon's start; `trouble` is why it takes no lines now."""

    sent: int = 0
    dropped: int = 0
    trouble: str = ""


class Outlet:
    """Sends one app's lines to one drain until it is closed.

    `first` is the first pause after a failure, in seconds; `reach` bounds where it may lead.
    """

    def __init__(
        self,
        drain: Drain,
        journal: Journal,
        context: ssl.SSLContext,
        *,
        reach: Reach | None = None,
        first: float = 1.0,
    ) -> None:
        self._drain = drain
        self._journal = journal
        self._way = transport(address(drain.url), context, reach)
        self._first = first
        self._queue = Backlog(lines=QUEUE)
        self._report = Report()
        journal.connect(self._queue)
        self._task = asyncio.create_task(self._work())

    @property
    def report(self) -> Report:
        return Report(self._report.sent, self._report.dropped + self._queue.dropped, self._report.trouble)

    async def close(self) -> None:
        self._journal.disconnect(self._queue)
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._way.close()

    async def _work(self) -> None:
        while True:
            lines = await self._queue.take(BATCH)
            await self._deliver(lines)
            if len(lines) < BATCH:
                await asyncio.sleep(GATHER)

    async def _deliver(self, lines: list[str]) -> None:
        """Send a batch, however often it takes; one that is refused is dropped and counted."""
        pause = self._first
        while True:
            try:
                await self._way.send(lines, self._drain.app)
            except Refused as error:
                self._failed(str(error))
                self._report.dropped += len(lines)
                await asyncio.sleep(pause)
                return
            except (OSError, aiohttp.ClientError, ssl.SSLError, ValueError) as error:
                self._failed(_words(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, SLOWEST)
            else:
                self._works()
                self._report.sent += len(lines)
                return

    def _failed(self, why: str) -> None:
        if not self._report.trouble:
            shown = masked(self._drain.url)
            log.warning("drain takes no lines", app=self._drain.app, drain=shown, error=why)
            self._journal.note("drain", f"{shown} takes no lines: {why}. Lines wait for it, {QUEUE} at most.")
        self._report.trouble = why

    def _works(self) -> None:
        if self._report.trouble:
            self._journal.note("drain", f"{masked(self._drain.url)} takes lines again")
            self._report.trouble = ""


class Outlets:
    """The outlets of all apps. `of` gives an app's journal; `reach` bounds drains that no admin added."""

    def __init__(
        self,
        of: Callable[[str], Journal],
        drains: Drains | None,
        *,
        ca_bundle: str = "",
        reach: Reach | None = None,
    ) -> None:
        self._of = of
        self._drains = drains
        self._ca_bundle = ca_bundle
        self._reach = reach
        self._context: ssl.SSLContext | None = None
        self._open: dict[int, Outlet] = {}

    def open(self) -> None:
        """Begin to send to every drain that is known."""
        for drain in self._drains.all() if self._drains else []:
            self._begin(drain)

    def all(self, app: str) -> list[tuple[Drain, Report]]:
        """An app's drains, and how each does."""
        drains = self._drains.of(app) if self._drains else []
        return [(drain, self._open[drain.id].report if drain.id in self._open else Report()) for drain in drains]

    async def add(self, app: str, url: str, *, anywhere: bool = False) -> Drain:
        """Send an app's lines to a further drain, with `anywhere` wherever it leads. Raises Invalid, Conflict, Refused.

        A name that has no address yet is taken: it is looked at again whenever a connection is made.
        """
        parsed = address(url)
        assert self._drains
        if self._reach and not anywhere:
            try:
                async with asyncio.timeout(LOOK):
                    await self._reach.addresses(parsed.host, parsed.port)
            except Forbidden as error:
                raise NotAllowed(f"{error.strerror}.", "Ask an admin of this server to add that drain.") from error
            except (OSError, UnicodeError):
                pass
        if len(self._drains.of(app)) >= MOST:
            raise Conflict(f"{app} has {MOST} drains; that is the most.", f"Remove one: drains:remove {app} ID")
        drain = self._drains.add(app, url, anywhere=anywhere)
        self._begin(drain)
        return drain

    async def remove(self, drain: Drain) -> None:
        """Send no more to a drain; what waits for it is dropped."""
        assert self._drains
        self._drains.remove(drain)
        await self._end(drain.id)

    async def forget(self, app: str) -> None:
        """End an app's outlets; the drains themselves go with the app."""
        for drain, _ in self.all(app):
            await self._end(drain.id)

    async def reopen(self, app: str) -> None:
        """Begin an app's outlets anew: its journal is another one."""
        for drain, _ in self.all(app):
            await self._end(drain.id)
            self._begin(drain)

    async def close(self) -> None:
        for id in list(self._open):
            await self._end(id)

    def _begin(self, drain: Drain) -> None:
        self._open[drain.id] = Outlet(
            drain, self._of(drain.app), self._tls(), reach=None if drain.anywhere else self._reach
        )

    async def _end(self, id: int) -> None:
        if outlet := self._open.pop(id, None):
            await outlet.close()

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context()
            if self._ca_bundle:
                with suppress(OSError):
                    self._context.load_verify_locations(self._ca_bundle)
        return self._context


def _words(error: Exception) -> str:
    """Why a connection failed, without the URL that some of the errors name."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, OSError):
        return (error.strerror or str(error) or type(error).__name__)[:200]
    return type(error).__name__
