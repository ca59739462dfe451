"""Lines on their way to one reader, bounded; what a slow reader misses is counted and said in its place."""

import asyncio
from collections import deque

from mothership.logs.line import OWN, Clock, stored

LINES = 5000
SIZE = 4 * 1024 * 1024


class Backlog:
    """Takes lines without waiting and hands them out in order. Sizes in characters."""

    def __init__(self, *, lines: int = LINES, size: int = SIZE) -> None:
        self._lines: deque[str] = deque()
        self._most = lines
        self._room = size
        self._missed = 0
        self._filled = asyncio.Event()
        self._clock = Clock()
        self._ended = False
        self.dropped = 0
        """How many lines it did not take, in all."""

    def put(self, line: str) -> None:
        """Take a line, or drop it when there is no room."""
        if len(self._lines) >= self._most or self._room < len(line):
            self._missed += 1
            self.dropped += 1
            return
        if self._missed:
            self._say_missed()
        self._lines.append(line)
        self._room -= len(line)
        self._filled.set()

    async def take(self, most: int = 1000) -> list[str]:
        """Wait for lines and take up to so many; none means that no more will come."""
        await self._filled.wait()
        return self.take_now(most)

    def take_now(self, most: int = LINES) -> list[str]:
        """Take what is there, up to so many."""
        taken = [self._lines.popleft() for _ in range(min(most, len(self._lines)))]
        self._room += sum(map(len, taken))
        if not self._lines and self._missed:
            self._say_missed()
        if not self._lines and not self._ended:
            self._filled.clear()
        return taken

    def end(self) -> None:
        """No more lines will come: whoever waits is told."""
        self._ended = True
        self._filled.set()

    def _say_missed(self) -> None:
        text = f"{self._missed} lines were dropped here: they came faster than they were read"
        notice = stored(self._clock.now(), OWN, "mothership[logs]", text)
        self._missed = 0
        self._lines.append(notice)
        self._room -= len(notice)
