"""Lines for the person who pushes, on their way through git's side-band 2."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

from receiver.reply import BAND_REMOTE, LARGEST_BAND, band

QUEUE = 1 << 20
"""The most bytes that wait for a slow client; lines beyond are left out, and the client is told that they are."""

SKIPPING = "(Lines are missing here: this connection is slower than the output.)"


def remote_lines(text: str, largest: int = LARGEST_BAND) -> bytes:
    """One line as band-2 pkt-lines, never cut inside a UTF-8 sequence. `largest` is 995 for the small side-band."""
    data = text.encode(errors="replace") + b"\n"
    packets = []
    while data:
        cut = _boundary(data, largest)
        packets.append(band(BAND_REMOTE, data[:cut]))
        data = data[cut:]
    return b"".join(packets)


def _boundary(data: bytes, largest: int) -> int:
    """Where to cut: at most `largest` bytes on, at the start of a character."""
    if len(data) <= largest:
        return len(data)
    cut = largest
    while cut > largest - 3 and data[cut] & 0xC0 == 0x80:
        cut -= 1
    return cut


class Outbox:
    """One queue to the client for git's packets and ours, so that neither lands inside the other.

    Git's packets wait for room where they can; our lines never wait: over the limit they are left out.
    """

    def __init__(
        self, send: Callable[[bytes], Awaitable[None]], frame: Callable[[str], bytes], on_dead: Callable[[], None]
    ) -> None:
        self._send = send
        self._frame = frame
        self._on_dead = on_dead
        self._queue: list[bytes] = []
        self._size = 0
        self._skipping = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.dead = False

    def say(self, line: str) -> None:
        """Queue one of our lines; a Sink, callable from any thread."""
        if threading.get_ident() == self._thread:
            self._say(line)
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended, and so has the client
            self._loop.call_soon_threadsafe(self._say, line)

    async def put(self, packets: bytes, *, patient: bool) -> None:
        """Queue git's packets; the patient ones wait until there is room."""
        while patient and self._size > QUEUE:
            await self._emptied.wait()
        self._add(packets)

    async def pump(self) -> None:
        """Send what is queued for as long as this runs. Once the client can't be reached, `dead` is set."""
        while True:
            await self._filled.wait()
            await self._send_queue()

    async def drain(self) -> None:
        """Wait until all is sent, or can't be."""
        await self._emptied.wait()

    def _say(self, line: str) -> None:
        full = self._size > QUEUE
        if not (full and self._skipping):
            self._add(self._frame(SKIPPING if full else line))
        self._skipping = full

    def _add(self, packets: bytes) -> None:
        if self.dead or not packets:
            return
        self._queue.append(packets)
        self._size += len(packets)
        self._emptied.clear()
        self._filled.set()

    async def _send_queue(self) -> None:
        batch = b"".join(self._queue)
        self._queue.clear()
        self._filled.clear()
        await self._try_to_send(batch)
        self._size -= len(batch)
        if not self._queue:
            self._emptied.set()

    async def _try_to_send(self, batch: bytes) -> None:
        if self.dead:
            return
        try:
            await self._send(batch)
        except ConnectionError:
            self.dead = True
            self._on_dead()
