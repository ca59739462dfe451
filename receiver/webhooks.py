"""The door of webhooks: POST /hooks/APP/ID, as GitHub, GitLab, Gitea and Forgejo send them."""

import json
from typing import Protocol

from aiohttp import hdrs, web

from hooks.incoming import Reply
from mothership.errors import MothershipError
from receiver import access, api_problem, failure

LARGEST = 1 << 20
"""Bytes of a delivery."""


class Deliveries(Protocol):
    """What the door asks of the house behind it (`hooks.incoming.Incoming`)."""

    def take(self, app: str, slug: str, headers: dict[str, str], body: bytes, remote: str) -> Reply:
        """Take one delivery and answer at once. Raises MothershipError."""


def mount(app: web.Application, deliveries: Deliveries) -> None:
    """Add the door to the HTTP door's application."""

    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            body = await _body(request)
            headers = {name.lower(): value for name, value in request.headers.items()}
            remote = access.remote(request)
            reply = deliveries.take(request.match_info["app"], request.match_info["hook"], headers, body, remote)
        except web.HTTPException as error:
            return api_problem.raised(error).response()
        except MothershipError as error:
            return api_problem.of(error).response()
        except Exception as error:
            return api_problem.of(failure.explained(error, "webhook")).response()
        said = {"outcome": reply.outcome} | ({"build": reply.build} if reply.build else {})
        return web.json_response(text=json.dumps(said), status=202, headers={hdrs.CACHE_CONTROL: "no-store"})

    app.router.add_post("/hooks/{app}/{hook}", serve)


async def _body(request: web.Request) -> bytes:
    """All of the body as it came, up to 1 MiB: what is signed is its bytes."""
    if (request.content_length or 0) > LARGEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST, request.content_length or 0, text="The delivery is too large.")
    body = await request.content.read(LARGEST + 1)
    while len(body) <= LARGEST and (more := await request.content.read(LARGEST + 1 - len(body))):
        body += more
    if len(body) > LARGEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST, len(body), text="The delivery is larger than 1 MiB.")
    return body
