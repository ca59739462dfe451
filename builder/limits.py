"""The time a build may take, the same whichever way it is built."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
