"""The limits of a build, the same whichever way it is built."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from builder.source import Source
from mothership.config import Settings
from mothership.errors import BuildFailed


@asynccontextmanager
async def time_limit(seconds: int) -> AsyncIterator[None]:
    """Stop the block after so many seconds. Raises BuildFailed that names the setting."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise BuildFailed(
            f"The build took longer than {seconds} seconds and was stopped.",
            "An admin can raise build_time in mothership.toml.",
            reason="build took too long",
        ) from None


def out_of_memory(source: Source, settings: Settings) -> BuildFailed:
    """The error for a build that the kernel stopped."""
    return BuildFailed(
        f"The build of {source.app} used more than its {settings.build_memory} MB of memory.",
        "An admin can raise build_memory in mothership.toml.",
        reason="build ran out of memory",
    )
