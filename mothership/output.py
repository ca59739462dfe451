"""Lines for the person who waits: emitted once here, rendered at the edge that carries them."""

from collections.abc import Callable

Sink = Callable[[str], None]
"""Takes one line without its newline; never blocks, never raises."""


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

    def also(self, *sinks: Sink) -> "Output":
        """The same output, copied to further sinks."""
        return Output(*self._sinks, *sinks)
