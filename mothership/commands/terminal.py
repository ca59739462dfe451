"""A caller's streams and terminal, connected to a process in a container until its output ends."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from mothership.commands.session import Resize, Session
from mothership.engine import Stream
from mothership.engine.stream import STDERR
from mothership.errors import MothershipError

SIGNALS = frozenset({"INT", "TERM", "HUP", "QUIT", "KILL", "USR1", "USR2", "ALRM", "CONT", "TSTP", "WINCH"})
END_OF_TRANSMISSION = b"\x04"
"""How a terminal says that its input has ended (termios(3), VEOF); it has no other way."""

Resizer = Callable[[int, int], Awaitable[None]]
"""Takes rows and columns."""

Signaller = Callable[[str], Awaitable[None]]
"""Takes a signal's name with SIG."""


async def connected(caller: Session, stream: Stream, resize: Resizer, signal: Signaller) -> None:
    """Carry input, output, window changes and signals; returns when the process has closed its output."""
    if caller.terminal and caller.terminal.rows and caller.terminal.columns:
        await resize(caller.terminal.rows, caller.terminal.columns)
    beside = [asyncio.create_task(_input(caller, stream)), asyncio.create_task(_events(caller, resize, signal))]
    try:
        async for channel, data in stream.chunks():
            if channel == STDERR:
                caller.write_error(data)
            else:
                caller.write(data)
            await caller.drain()
    finally:
        for task in beside:
            task.cancel()


async def _input(caller: Session, stream: Stream) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await caller.read():
            await stream.write(data)
        if caller.terminal:
            await stream.write(END_OF_TRANSMISSION)
        else:
            stream.close_input()


async def _events(caller: Session, resize: Resizer, signal: Signaller) -> None:
    async for event in caller.events():
        if isinstance(event, Resize):
            await resize(event.rows, event.columns)
        elif event.name in SIGNALS:
            with contextlib.suppress(MothershipError):
                await signal(f"SIG{event.name}")
