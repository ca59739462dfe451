"""One app's log: lines come in without waiting, go to disk in batches, and to those who read along at once."""

import asyncio
import shutil
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from mothership.log import logger
from mothership.logs.backlog import Backlog
from mothership.logs.cursors import Cursor
from mothership.logs.line import OWN, Clock, stored
from mothership.logs.search import Query, search, tail
from mothership.logs.segments import Bounds, Segments
from mothership.output import Sink

T = TypeVar("T")
log = logger()
PENDING = 8 * 1024 * 1024
"""Characters that wait for the disk at most."""
PAUSE = 0.05
"""Seconds between two writes."""


class Journal:
    """The log of one app. `put` and `note` belong to the event loop's thread and never block."""

    def __init__(self, folder: Path, pool: ThreadPoolExecutor, bounds: Bounds | None = None) -> None:
        self._folder = folder
        self._pool = pool
        self._segments = Segments(folder, bounds or Bounds())
        self._pending: deque[str] = deque()
        self._came, self._went = 0, 0
        self._dropped = 0
        self._lock = threading.Lock()
        self._readers: set[Backlog] = set()
        self._writing: asyncio.Task[None] | None = None
        self._clock = Clock()
        self._deleted = False

    # lines come in

    def put(self, line: str) -> None:
        """Take a stored line; when more wait for the disk than there is room for, it is dropped and counted."""
        if self._deleted:
            return
        if self._came - self._went > PENDING:
            self._dropped += 1
        else:
            self._came += len(line)
            self._pending.append(line)
        for reader in self._readers:
            reader.put(line)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    def note(self, source: str, text: str) -> None:
        """Add a line of the platform's own, such as `mothership[release]: Release v3 created by ada`."""
        for line in text.split("\n"):
            self.put(stored(self._clock.now(), OWN, f"mothership[{source}]", line))

    def sink(self, source: str) -> Sink:
        """Where a recipe's output goes to be in the log as well."""
        return lambda line: self.note(source, line)

    async def cursor(self, whose: str) -> Cursor:
        """How far a stream has been stored, with all that has come in. Raises OSError."""
        return await self._in_pool(self._cursor, whose)

    # lines go out

    def subscribe(self) -> Backlog:
        """Read along from now on."""
        reader = Backlog()
        self.connect(reader)
        return reader

    def connect(self, reader: Backlog) -> None:
        self._readers.add(reader)

    def disconnect(self, reader: Backlog) -> None:
        self._readers.discard(reader)

    async def find(self, query: Query) -> list[str]:
        """The last stored lines that a query wants, in their order. Raises Invalid for a bad pattern."""
        await self._in_pool(self.flush)
        files = self._segments.files()
        if query.needs_search:
            return await search(files, query)
        return await self._in_pool(tail, files, query)

    # upkeep

    def flush(self) -> None:
        """Write what is pending; from any thread. Lines that the disk does not take are counted as dropped."""
        with self._lock:
            lines = [self._pending.popleft() for _ in range(len(self._pending))]
            self._went += sum(map(len, lines))
            if not lines or self._deleted:
                return
            if self._dropped:
                text = f"{self._dropped} lines were dropped here: they came faster than the disk took them"
                lines.append(stored(self._clock.now(), OWN, "mothership[logs]", text))
                self._dropped = 0
            try:
                self._segments.append(lines)
            except OSError as error:
                self._dropped += len(lines)
                log.warning("app log not written", folder=str(self._folder), lines=len(lines), error=str(error))

    def prune(self) -> None:
        """Delete what is beyond the bounds of size and age; from any thread. Raises OSError."""
        with self._lock:
            self._segments.prune()

    async def close(self) -> None:
        """Write all that has come in, and close the file."""
        if self._writing:
            self._writing.cancel()
            await asyncio.wait([self._writing])
        await self._in_pool(self.flush)
        await self._in_pool(self._close)

    async def delete(self) -> None:
        """Forget the app's lines for good; what still comes is dropped."""
        self._deleted = True
        for reader in self._readers:
            reader.end()
        await self._in_pool(self._close)
        await self._in_pool(lambda: shutil.rmtree(self._folder, ignore_errors=True))

    async def _write(self) -> None:
        try:
            while self._pending:
                await asyncio.sleep(PAUSE)
                await self._in_pool(self.flush)
        finally:
            self._writing = None

    def _cursor(self, whose: str) -> Cursor:
        self.flush()
        with self._lock:
            return self._segments.cursor(whose)

    def _close(self) -> None:
        with self._lock:
            self._segments.close()

    async def _in_pool(self, work: Callable[..., T], *values: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *values)
