"""How much a build may write, measured only when the disk says that it might be too much."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from builder.disk import folder_size
from builder.thread import in_thread
from mothership.errors import BuildFailed

PACE = 0.5
MEGA = 1024 * 1024


@asynccontextmanager
async def write_limit(megabytes: int, folders: Callable[[], tuple[Path, ...]]) -> AsyncIterator[None]:
    """Stop the block when what it writes has grown these folders beyond so many MiB in all. Raises BuildFailed.

    The disk's free space is looked at twice a second; only when it fell by a good part of that are they measured.
    """
    task, stopped = asyncio.current_task(), False
    assert task

    async def watch() -> None:
        nonlocal stopped
        free = _free(folders()[0])
        while True:
            await asyncio.sleep(PACE)
            now = _free(folders()[0])
            if free - now > megabytes * MEGA // 4:
                free = now
                if await in_thread(_sizes, folders()) > megabytes * MEGA:
                    stopped = True
                    task.cancel()
                    return

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if stopped and not task.uncancel():
            raise BuildFailed(
                f"The build wrote more than {megabytes} MB and was stopped.",
                "An admin can raise build_disk in mothership.toml.",
                reason="build wrote too much",
            ) from None
        raise
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


def _sizes(folders: tuple[Path, ...]) -> int:
    return sum(folder_size(folder) for folder in folders if folder.exists())


def _free(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize
