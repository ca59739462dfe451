"""Keeping up with what one container prints, each line once, however fast they come.

An engine's own way to follow a container's log does not survive a reader that falls behind by more than one of the
files that it rotates: it skips lines, or stops for good (moby 20.10, loggerutils/logfile.go). So it is only
followed while little comes. A flood is read in sweeps, each of which is all that is kept since the line before.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Protocol

from mothership.engine.follow import Line
from mothership.logs.cursors import Cursor, Sieve
from mothership.logs.line import unix_time

Keep = Callable[[int, str, str, bool], None]
"""Takes a line: 1 for standard output or 2 for standard error, its stored time, the text, whether some may be missing
before it."""
MARGIN = 0.5
"""Seconds before the last line from which a container is read again: its two streams may overtake each other."""
FOLLOWED = 1024 * 1024
"""Bytes that are followed at most before a sweep; the engine's files have ten times as many."""
LITTLE = FOLLOWED // 8
"""Bytes of new lines in a sweep from which on it is a flood."""
LONGEST = 600.0
"""Seconds between two sweeps at most."""
PAUSE = 1.0
"""Seconds between two sweeps of a flood at least."""
OVERHEAD = 40
"""Bytes that the engine sends with each line's text."""


class Follows(Protocol):
    """What is asked of an engine."""

    def follow(self, container: str, *, since: str, wait: bool) -> AsyncGenerator[Line, None]: ...


def sieved(cursors: Mapping[int, Cursor]) -> dict[int, Sieve]:
    """A sieve for each stream, from how far it has been stored."""
    last = max(at for at, _ in cursors.values())
    return {channel: Sieve(cursor, awaited=cursor[0] == last) for channel, cursor in cursors.items()}


class Pursuit:
    """Reads one container to its end."""

    def __init__(self, engine: Follows, container: str, sieves: dict[int, Sieve], keep: Keep) -> None:
        self._engine = engine
        self._container = container
        self._sieves = sieves
        self._keep = keep
        self._ended = False

    async def run(self) -> None:
        """Raises EngineUnavailable; what has been kept until then is known to the sieves."""
        while True:
            await self._catch_up()
            if self._ended:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST):
                    await self._follow()

    async def _catch_up(self) -> None:
        while True:
            began = time.monotonic()
            came = 0
            async with aclosing(self._lines(wait=False)) as lines:
                async for size in lines:
                    came += size
            if came < LITTLE:
                return
            await asyncio.sleep(max(PAUSE, time.monotonic() - began))

    async def _follow(self) -> None:
        came = 0
        async with aclosing(self._lines(wait=True)) as lines:
            async for size in lines:
                came += size
                if came > FOLLOWED:
                    return
        self._ended = True

    async def _lines(self, *, wait: bool) -> AsyncGenerator[int, None]:
        """Keep the lines that are new; yields the size of each."""
        last = max(sieve.at for sieve in self._sieves.values())
        since = unix_time(last, earlier=MARGIN) if last else "0"
        for sieve in self._sieves.values():
            sieve.again(awaited=sieve.at == last)
        async with aclosing(self._engine.follow(self._container, since=since, wait=wait)) as lines:
            async for channel, engine_time, text in lines:
                at = f"{engine_time[:29]}+00:00"
                sieve = self._sieves[channel]
                if sieve.new(at):
                    self._keep(channel, at, text, sieve.gap)
                    yield len(text) + OVERHEAD
