"""What a build printed, kept in a file of its own."""

from pathlib import Path
from types import TracebackType

LIMIT = 16 * 1024 * 1024


class BuildLog:
    """`<data>/builds/APP/ID.log`, up to 16 MiB; writing never fails the build."""

    def __init__(self, data: Path, app: str, build: str) -> None:
        self.path = data / "builds" / app / f"{build}.log"
        self._left = LIMIT

    def __enter__(self) -> "BuildLog":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("w", buffering=1, encoding="utf-8", errors="replace")
        return self

    def write(self, line: str) -> None:
        """Append a line; what is beyond the limit or the disk's end is dropped."""
        self._left -= len(line) + 1
        if self._left > 0:
            try:
                self._file.write(line + "\n")
            except OSError:
                self._left = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError:
            self._left = 0
