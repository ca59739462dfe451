"""One SSH session channel: a caller's streams, terminal and signals, with flow control both ways."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncssh

from mothership.commands.session import Resize, Signal, Terminal
from mothership.model import User

UNREAD = 1 << 18
"""Bytes of input that may wait for the reader before the client's window is left to fill."""

UNSENT = 1 << 18
EVENTS = 64
NOT_READ = 128 + 13
"""The exit status of what ended because nobody read it, a shell's for SIGPIPE."""


class Valve:
    """Open while the connection takes more; shared by a connection's channels."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def shut(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def wait(self) -> None:
        await self._open.wait()


class Channel(asyncssh.SSHServerSession[bytes]):
    """A caller who came through SSH: a Session for verbs and a Wire for git.

    `main` runs once the client has said what it wants (None for a shell); its result is the exit status, and it is
    cancelled when the client vanishes.
    """

    def __init__(
        self, user: User, remote: str, connection: Valve, main: Callable[["Channel", str | None], Awaitable[int]]
    ) -> None:
        self.user = user
        self.remote = remote
        self.terminal: Terminal | None = None
        self.lost = False
        self._main = main
        self._command: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._chan: asyncssh.SSHServerChannel[bytes]
        self._input: deque[bytes] = deque()
        self._unread = 0
        self._paused = False
        self._ended = False
        self._arrived = asyncio.Event()
        self._connection = connection
        self._window = Valve()
        self._events: deque[Resize | Signal] = deque(maxlen=EVENTS)
        self._happened = asyncio.Event()

    # What the session offers to verbs (mothership.commands.session.Session).

    def write(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # whoever wrote to a lost client is being cancelled
            self._chan.write(data)

    def write_error(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._chan.write_stderr(data)

    async def drain(self) -> None:
        await self._window.wait()
        await self._connection.wait()

    async def read(self, size: int = 65536) -> bytes:
        while not self._input and not self._ended:
            self._arrived.clear()
            await self._arrived.wait()
        data = self._take(size)
        if self._paused and not self._input:
            self._take_in_what_waits()
        return data

    async def events(self) -> AsyncIterator[Resize | Signal]:
        while True:
            while self._events:
                yield self._events.popleft()
            self._happened.clear()
            await self._happened.wait()

    # What it offers to git beyond that (receiver.wire.Wire).

    async def send(self, data: bytes) -> None:
        if self.lost:
            raise ConnectionResetError("the client has closed the channel")
        self.write(data)
        await self.drain()

    def complain(self, data: bytes) -> None:
        self.write_error(data)

    @property
    def protocol(self) -> str:
        """The client's GIT_PROTOCOL; nothing else of its environment is looked at."""
        return self._chan.get_environment().get("GIT_PROTOCOL", "")

    # What asyncssh tells it.

    def connection_made(self, chan: "asyncssh.SSHServerChannel[bytes]") -> None:
        self._chan = chan
        chan.set_write_buffer_limits(high=UNSENT)
        # OpenSSH clients whose standard output nobody reads any more say so by this request and wait (OpenSSH's
        # PROTOCOL, section 2.1); asyncssh finds handlers by name and has none for it.
        setattr(chan, "_process_eow_at_openssh_dot_com_request", self._end_of_write)  # noqa: B010

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Any) -> bool:
        self.terminal = Terminal(term_type, term_size[0], term_size[1])
        return True

    def shell_requested(self) -> bool:
        return True

    def exec_requested(self, command: str) -> bool:
        self._command = command
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        return False

    def session_started(self) -> None:
        self._task = asyncio.create_task(self._run())

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._input.append(data)
        self._unread += len(data)
        self._arrived.set()
        if self._unread > UNREAD and not self._paused:
            self._paused = True
            self._chan.pause_reading()

    def eof_received(self) -> bool:
        self._ended = True
        self._arrived.set()
        return True

    def pause_writing(self) -> None:
        self._window.shut()

    def resume_writing(self) -> None:
        self._window.release()

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        if self.terminal:
            self.terminal = Terminal(self.terminal.term, width, height)
        self._note(Resize(width, height))

    def signal_received(self, signal: str) -> None:
        self._note(Signal(signal))

    def break_received(self, msec: int) -> bool:
        self._note(Signal("INT"))
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._window.release()
        self.eof_received()
        if self._task:
            self._task.cancel()

    def _end_of_write(self, packet: asyncssh.packet.SSHPacket) -> bool:
        packet.check_end()
        self.lost = True
        if self._task:
            self._task.cancel()
        return True

    async def _run(self) -> None:
        status = NOT_READ
        try:
            status = await self._main(self, self._command)
            await self.drain()
        finally:
            with contextlib.suppress(OSError):
                self._chan.exit(status & 0xFF)

    def _note(self, event: Resize | Signal) -> None:
        self._events.append(event)
        self._happened.set()

    def _take(self, size: int) -> bytes:
        """Up to `size` of the bytes that have arrived."""
        pieces: list[bytes] = []
        while self._input and size > 0:
            piece = self._input.popleft()
            if len(piece) > size:
                self._input.appendleft(piece[size:])
                piece = piece[:size]
            size -= len(piece)
            self._unread -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def _take_in_what_waits(self) -> None:
        """Resume reading. asyncssh reopens the client's whole window with the first piece that it hands over, so all
        pieces are taken at once: to pause in between would let a window's worth pile up for each of them."""
        self._chan.resume_reading()
        self._paused = self._unread > UNREAD
        if self._paused:
            self._chan.pause_reading()
