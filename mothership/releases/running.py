"""The deploys under way, by their build's id: each can be cancelled by somebody else than its pusher."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mothership.errors import Refused


@dataclass
class _Entry:
    task: asyncio.Task[object]
    done: asyncio.Event
    by: str = ""


class Running:
    """What runs in this daemon; it remembers nothing of what has ended."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    @contextmanager
    def entered(self, build: str) -> Iterator[None]:
        """The block is this build's deploy. Raises Refused in the place where it was when somebody cancels it."""
        task = asyncio.current_task()
        assert task
        if build in self._entries and self._entries[build].task is task:
            yield  # it was entered already, while it waited for its turn
            return
        entry = _Entry(task, asyncio.Event())
        self._entries[build] = entry
        try:
            yield
        except asyncio.CancelledError:
            if entry.by and task.uncancel() == 0:
                raise Refused(f"Cancelled by {entry.by}.", reason="cancelled") from None
            raise
        finally:
            del self._entries[build]
            entry.done.set()

    async def cancel(self, build: str, by: str) -> bool:
        """Cancel a build's deploy and see its end; whether it was running."""
        entry = self._entries.get(build)
        if entry is None:
            return False
        if not entry.by:
            entry.by = by
            entry.task.cancel()
        await entry.done.wait()
        return True
