"""Who goes first: one deploy at a time per app, and a bounded number of builds on the machine."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from mothership.errors import Conflict
from mothership.output import Output

SUPERSEDED = "superseded by a newer push"


@dataclass
class Waiter:
    """Somebody in a queue. A push may be overtaken by a newer one of its app; a command never is."""

    app: str
    out: Output
    push: bool
    turn: asyncio.Future[None]

    def give_way(self) -> None:
        if self.push and not self.turn.done():
            self.turn.set_exception(
                Conflict(
                    f"A newer push of {self.app} came while this one waited; this one gives way to it.",
                    reason=SUPERSEDED,
                )
            )


class AppLocks:
    """A lock per app, held by a live operation and gone with it."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Waiter]] = {}
        """The app of every held lock, and who waits for it."""

    def held(self, app: str) -> bool:
        return app in self._queues

    def awaited(self, app: str) -> bool:
        """Whether somebody waits for the lock."""
        return any(not waiter.turn.done() for waiter in self._queues.get(app, ()))

    @asynccontextmanager
    async def hold(self, app: str, out: Output, *, push: bool = False) -> AsyncIterator[None]:
        """Hold the app's lock, saying so when that takes a wait. Raises Conflict for a push that was overtaken."""
        if app in self._queues:
            await self._wait(app, out, push=push)
        else:
            self._queues[app] = deque()
        try:
            yield
        finally:
            self._pass_on(app)

    async def _wait(self, app: str, out: Output, *, push: bool) -> None:
        queue = self._queues[app]
        if push:
            for waiter in queue:
                waiter.give_way()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(Waiter(app, out, push, turn))
        out.step(f"Another deploy of {app} is under way; this one waits for it to finish.")
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self._pass_on(app)
            raise

    def _pass_on(self, app: str) -> None:
        queue = self._queues[app]
        while queue:
            waiter = queue.popleft()
            if not waiter.turn.done():
                waiter.turn.set_result(None)
                return
        del self._queues[app]


class BuildSlots:
    """At most `count` builds at once; the others queue and see their place."""

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._queue: deque[Waiter] = deque()

    @asynccontextmanager
    async def take(self, app: str, out: Output) -> AsyncIterator[None]:
        """Hold a slot for the length of the block. Raises Conflict when a newer push overtakes this one."""
        await self._enter(app, out)
        try:
            yield
        finally:
            self._leave()

    @asynccontextmanager
    async def all(self) -> AsyncIterator[None]:
        """Hold every slot: nothing is built during the block, and what comes meanwhile queues."""
        async with AsyncExitStack() as stack:
            for _ in range(self._count):
                await stack.enter_async_context(self.take("", Output()))
            yield

    def overtake(self, app: str) -> None:
        """A newer push of the app has come: one that still queues here gives way."""
        for waiter in self._queue:
            if waiter.app == app:
                waiter.give_way()

    async def _enter(self, app: str, out: Output) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiter(app, out, True, turn))
        out.step(f"Other builds are running; this one is number {len(self._queue)} in the queue.")
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self._leave()
            raise
        finally:
            self._queue = deque(waiter for waiter in self._queue if waiter.turn is not turn)

    def _leave(self) -> None:
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.turn.done():
                waiter.turn.set_result(None)
                for place, other in enumerate(self._queue, 1):
                    other.out.detail(f"Number {place} in the queue now.")
                return
        self._free += 1
