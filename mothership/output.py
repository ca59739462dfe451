"""Lines for the person who waits: emitted once here, rendered at the edge that carries them."""

import re
from collections.abc import Callable, Iterable

Sink = Callable[[str], None]
"""Takes one line without its newline; never blocks, never raises."""

SHORTEST_SECRET = 6
"""Characters; shorter texts stand in too many innocent places to be hidden."""


class Output:
    """Heroku's line shapes over a sink.

    The sink decides where a line goes: git's side-band, an SSH channel, a log file, or several.
    """

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks

    def raw(self, line: str) -> None:
        """Emit a line as it is."""
        for sink in self._sinks:
            sink(line)

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
        pattern = re.compile("|".join(map(re.escape, hidden)))
        return Output(lambda line: self.raw(pattern.sub("********", line)))

    def also(self, *sinks: Sink) -> "Output":
        """The same output, copied to further sinks."""
        return Output(*self._sinks, *sinks)
