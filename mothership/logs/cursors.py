"""How far each stream of lines has been stored, so that a restarted daemon neither loses nor doubles one."""

import json
from collections.abc import Iterable
from pathlib import Path

from mothership.logs.line import TIME, WHOSE, Clock

MOST = 2000
Cursor = tuple[str, int]
"""The time of a stream's last stored line, and how many of its lines have that time."""


class Cursors:
    """The cursors of one app. They follow from the stored lines; a file beside these saves reading all of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, Cursor] = {}

    def load(self) -> tuple[str, int]:
        """Read the file; up to which segment and byte it speaks. ("", 0) when it says nothing."""
        try:
            found = json.loads(self._path.read_text())
            self._seen = {whose: (at, count) for whose, (at, count) in found["seen"].items()}
            return str(found["segment"]), int(found["size"])
        except (OSError, ValueError, KeyError, TypeError):
            self._seen = {}
            return "", 0

    def save(self, segment: str, size: int) -> None:
        """Write the file. Raises OSError."""
        if len(self._seen) > MOST:
            self._seen = dict(sorted(self._seen.items(), key=lambda item: item[1])[-MOST:])
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps({"segment": segment, "size": size, "seen": self._seen}))
        scratch.replace(self._path)

    def note(self, lines: Iterable[str]) -> None:
        """Take in lines that have been stored."""
        seen = self._seen
        for line in lines:
            whose, at = line[WHOSE], line[:TIME]
            last = seen.get(whose)
            seen[whose] = (at, last[1] + 1) if last and last[0] == at else (at, 1)

    def of(self, whose: str) -> Cursor:
        """The cursor of a stream, ("", 0) when nothing of it is stored."""
        return self._seen.get(whose, ("", 0))


class Sieve:
    """Lets each line of a stream through once, by its time.

    A stream is read again from before its cursor after a restart, and the engine itself repeats lines now and then when
    it rotates a container's file. Within a stream times only grow, unless the machine's clock was set back.

    `gap` is whether something may be missing before the line that was let through last: the line of the cursor was
    `awaited`, it should have been read again first, and is gone.
    """

    def __init__(self, cursor: Cursor, *, awaited: bool = False) -> None:
        self._at, self._count = cursor
        self.again(awaited=awaited)

    def again(self, *, awaited: bool) -> None:
        """The stream is read again, from before the line that was let through last."""
        self._repeated = self._count
        self._awaited = awaited and self._count > 0
        self.gap = False

    @property
    def at(self) -> str:
        """The time of the line that was let through last, "" for none."""
        return self._at

    def new(self, at: str) -> bool:
        """Whether a line of this time has not been let through before."""
        self.gap = self._awaited and at > self._at
        self._awaited = self._awaited and at < self._at
        if at > self._at or (at < self._at and self._at > Clock().now()):
            self._at, self._count, self._repeated = at, 1, 0
            return True
        if at < self._at:
            self._repeated = self._count
            return False
        if self._repeated:
            self._repeated -= 1
            return False
        self._count += 1
        return True
