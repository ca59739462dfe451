"""An archive as the body of a request: read as it comes, never held in memory."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import hdrs, web

from mothership.commands import openapi
from mothership.commands.verb import Verb
from mothership.config import Settings
from mothership.errors import Invalid, TooLarge

PIECE = 1 << 18


def comes_with(request: web.Request, verb: Verb[object]) -> bool:
    """Whether the body is an archive rather than the verb's arguments, which stand in the query then."""
    return verb.uploads and request.content_type in openapi.UPLOADS and hdrs.CONTENT_TYPE in request.headers


def check(request: web.Request, settings: Settings) -> None:
    """Raises TooLarge before a byte is read, where the length says enough."""
    if (request.content_length or 0) > settings.max_input_size << 20:
        raise TooLarge(
            f"That is more than the {settings.max_input_size} MiB that the server takes.",
            "Leave dependencies and data out, or have an admin raise max_input_size in mothership.toml.",
        )


async def pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body. Raises Invalid when it is cut off or badly packed."""
    while True:
        try:
            data = await request.content.read(PIECE)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # aiohttp has a dozen names for it
            raise Invalid("The body could not be read to its end.") from error
        if not data:
            return
        yield data
