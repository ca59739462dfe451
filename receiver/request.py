"""What a client asks for at the start of a push: commands and capabilities, before the pack."""

from mothership.errors import Invalid
from receiver import pktline

LIMIT = 8 << 20
"""The most bytes of commands a push may have: tens of thousands of refs."""


class Request:
    """Watches the bytes that go up to receive-pack until the commands end; of the pack only the size is noted."""

    def __init__(self) -> None:
        self.capabilities: frozenset[bytes] = frozenset()
        self.pack_size = 0
        self.commands = 0
        self._decoder = pktline.Decoder()
        self._seen = 0
        self._done = False

    @property
    def side_band(self) -> bool:
        """Whether the client reads progress and errors from band 2; receive-pack knows only the 64k kind."""
        return b"side-band-64k" in self.capabilities

    @property
    def empty(self) -> bool:
        """Whether the client has ended its commands without one: it found that the server has all it could push."""
        return self._done and not self.commands

    def watch(self, data: bytes) -> None:
        """Look at the next bytes of the client. Raises Invalid."""
        if self._done:
            self.pack_size += len(data)
            return
        self._seen += len(data)
        for packet in self._packets(data):
            if packet == pktline.FLUSH:
                self._done = True
            else:
                self._watch_command(pktline.payload(packet))
        if self._done:
            self.pack_size = len(self._decoder.rest)
        elif self._seen > LIMIT:
            raise Invalid(f"This push has more than {LIMIT >> 20} MiB of ref updates.", "Push fewer refs at once.")

    def _packets(self, data: bytes) -> list[bytes]:
        try:
            return self._decoder.feed(data, until_flush=True)
        except pktline.Malformed as error:
            raise Invalid(f"That is not a git push: {error}.", "Push with git.") from error

    def _watch_command(self, line: bytes) -> None:
        self.commands += 1
        command, separator, capabilities = line.partition(b"\0")
        if separator and not self.capabilities:
            self.capabilities = frozenset(capabilities.split())
        # A newline inside a ref's name would look like a further update to the pre-receive hook.
        if b"\n" in command.removesuffix(b"\n"):
            raise Invalid("A ref's name has a newline.", "Rename it.", reason="invalid ref name")
