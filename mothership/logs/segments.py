"""The files that hold one app's lines: numbered segments in a folder, bounded in size and age together."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mothership.logs.cursors import Cursor, Cursors

MIB = 1024 * 1024
DAY = 86400
BLOCK = 256 * 1024
SAVE_EVERY = 5.0


@dataclass(frozen=True)
class Bounds:
    """How much of one app's lines is kept: MiB and days."""

    size: int = 1024
    days: int = 30

    @property
    def segment(self) -> int:
        """Bytes of one segment: what goes at once when the whole is full."""
        return max(64 * 1024, min(32 * MIB, self.size * MIB // 8))


class Segments:
    """Appends and reads back. Blocking, and for one thread at a time; the readers may be in others."""

    def __init__(self, folder: Path, bounds: Bounds) -> None:
        self._folder = folder
        self._bounds = bounds
        self._cursors = Cursors(folder / "cursors.json")
        self._fd = -1
        self._path = folder / "none"
        self._size = 0
        self._born = 0.0
        self._saved_at = 0.0

    def append(self, lines: Sequence[str]) -> None:
        """Store lines, all of them or none. Raises OSError."""
        data = ("\n".join(lines) + "\n").encode(errors="replace")
        self._open()
        if self._size and (
            self._size + len(data) > self._bounds.segment or time.time() - self._born > self._bounds.days * DAY / 8
        ):
            self._begin(int(self._path.stem) + 1)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += len(data)
        self._cursors.note(lines)
        if time.monotonic() - self._saved_at > SAVE_EVERY:
            self._save()

    def cursor(self, whose: str) -> Cursor:
        """How far a stream has been stored. Raises OSError."""
        if self._fd < 0 and not self._folder.exists():
            return "", 0
        self._open()
        return self._cursors.of(whose)

    def files(self) -> list[Path]:
        """The segments, the oldest first."""
        return sorted(self._folder.glob("*.log"))

    def prune(self) -> None:
        """Delete the oldest segments beyond the bounds; never the one that is written."""
        found = [(path, path.stat()) for path in self.files()]
        total = sum(state.st_size for _, state in found)
        oldest = time.time() - self._bounds.days * DAY
        for path, state in found[:-1]:
            if total > self._bounds.size * MIB - self._bounds.segment or state.st_mtime < oldest:
                path.unlink(missing_ok=True)
                total -= state.st_size
        if found and found[-1][1].st_mtime < oldest and self._fd < 0:
            found[-1][0].unlink(missing_ok=True)

    def close(self) -> None:
        """Keep the cursors and let go of the file."""
        if self._fd >= 0:
            self._save()
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        if self._fd >= 0:
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = self.files()
        if found:
            _mend(found[-1])
        self._catch_up(found)
        self._begin(int(found[-1].stem) if found else 1)

    def _begin(self, number: int) -> None:
        """Write to the segment of this number from now on."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._path = self._folder / f"{number:08}.log"
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size
        self._born = time.time()
        self._save()
        self.prune()

    def _save(self) -> None:
        """Keep the cursors; without their file the next start reads the segments, which say the same."""
        self._saved_at = time.monotonic()
        with suppress(OSError):
            self._cursors.save(self._path.name, self._size)

    def _catch_up(self, found: list[Path]) -> None:
        """Bring the cursors up to the end of the segments."""
        name, size = self._cursors.load()
        for path in found:
            if path.name < name:
                continue
            with path.open("rb") as file:
                file.seek(size if path.name == name else 0)
                self._cursors.note(line.decode(errors="replace") for line in file)


def backwards(files: Sequence[Path]) -> Iterator[bytes]:
    """The whole lines of segments, the last first; a segment that is deleted meanwhile is passed over."""
    for path in reversed(files):
        try:
            with path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                rest, whole = b"", False
                while end:
                    start = max(0, end - BLOCK)
                    file.seek(start)
                    first, *lines = (file.read(end - start) + rest).split(b"\n")
                    if not whole and lines:
                        lines.pop()
                        whole = True
                    yield from reversed(lines)
                    rest, end = first, start
                if whole:
                    yield rest
        except FileNotFoundError:
            continue


def _mend(path: Path) -> None:
    """Cut off a last line that an ended daemon had not written whole."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - BLOCK)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        file.truncate(end)
