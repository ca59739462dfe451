"""Lines for the person who waits: emitted once here, rendered at the edge that carries them."""

import re
from collections.abc import Callable, Iterable

Sink = Callable[[str], None]
"""Takes one line without its newline; never blocks, never raises."""

SHORTEST_SECRET = 4
"""Characters; shorter texts stand in too many innocent places to be hidden, so that none can be made a secret."""


class Output:
    """Heroku's line shapes over a sink.

    The sink decides where a line goes: git's side-band, an SSH channel, a log file, or several.
    """

    def __init__(self, *sinks: Sink, hide: Callable[[str], str] | None = None) -> None:
        self._sinks = sinks
        self._hide = hide

    def raw(self, line: str) -> None:
        """Emit a line as it is, but for what is to be hidden."""
        shown = self._hide(line) if self._hide else line
        for sink in self._sinks:
            sink(shown)

    def step(self, text: str) -> None:
        """Announce a step: `-----> text`."""
        self.raw(f"-----> {text}")

    def detail(self, text: str) -> None:
        """Say something about the current step, indented by seven spaces."""
        self.raw(f"       {text}" if text else "")

    def error(self, text: str) -> None:
        """Say what went wrong: ` !     text`, each line of it."""
        for line in text.splitlines() or [""]:
            self.raw(f" !     {line}")

    def hiding(self, secrets: Iterable[str]) -> "Output":
        """The same output, with these texts replaced by asterisks wherever a line has them."""
        hidden = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        if not hidden:
            return self
        pattern, before = re.compile("|".join(map(re.escape, hidden))), self._hide
        return Output(*self._sinks, hide=lambda line: pattern.sub("********", before(line) if before else line))

    def also(self, *sinks: Sink) -> "Output":
        """The same output, copied to further sinks; what is hidden is hidden from them too."""
        return Output(*self._sinks, *sinks, hide=self._hide)
