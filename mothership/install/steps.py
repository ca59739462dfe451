"""Steps of the installation, each a line with a tick and its time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mothership.output import Output


class Steps:
    """Prints `✓ Initializing swarm… 0.8s`; details of a long step are shown while it runs, on a terminal."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._live = sys.stdout.isatty()

    @contextmanager
    def step(self, text: str) -> Iterator[Output]:
        """One step; what its output says is progress. A failure marks the line and goes on up."""
        began = time.monotonic()
        if self._live:
            print(f"  {text}…", end="", flush=True)
        try:
            yield Output(self._progress)
        except BaseException:
            self._line(f"✗ {text}…")
            raise
        self._line(f"✓ {text}… {time.monotonic() - began:.1f}s")

    def total(self) -> None:
        print(f"Done in {time.monotonic() - self._began:.0f} s.")

    def _progress(self, line: str) -> None:
        text = line.removeprefix("----->").strip()
        if self._live:
            print(f"\r\033[K  … {text[:100]}", end="", flush=True)
        elif line.startswith("----->"):
            print(f"  … {text}", flush=True)

    def _line(self, text: str) -> None:
        print(f"\r\033[K{text}" if self._live else text, flush=True)
