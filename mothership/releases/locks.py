"""Who goes first: one deploy at a time per app, and a bounded number of builds on the machine."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mothership.output import Output


class AppLocks:
    """A lock per app, held by a live operation and gone with it."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    def held(self, app: str) -> bool:
        lock = self._locks.get(app)
        return bool(lock and lock.locked())

    @asynccontextmanager
    async def hold(self, app: str, out: Output) -> AsyncIterator[None]:
        """Hold the app's lock, saying so when that takes a wait."""
        lock = self._locks.setdefault(app, asyncio.Lock())
        if lock.locked():
            out.step(f"Another deploy of {app} is under way; this one waits for it to finish.")
        async with lock:
            yield


class BuildSlots:
    """At most `count` builds at once; the others queue and see their place."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._queue: deque[tuple[asyncio.Future[None], Output]] = deque()

    @asynccontextmanager
    async def take(self, out: Output) -> AsyncIterator[None]:
        """Hold a slot for the length of the block."""
        await self._enter(out)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, out: Output) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((turn, out))
        out.step(f"Other builds are running; this one is number {len(self._queue)} in the queue.")
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            else:
                self._queue = deque(entry for entry in self._queue if entry[0] is not turn)
            raise

    def _leave(self) -> None:
        while self._queue:
            turn, _ = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                for place, (_, out) in enumerate(self._queue, 1):
                    out.detail(f"Number {place} in the queue now.")
                return
        self._free += 1
