"""The HTTP door with the API of a real command table behind it, and a client to call on it."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp

from mothership.commands.dispatch import Dispatch
from mothership.commands.house import House
from mothership.commands.table import VERBS
from mothership.commands.verb import Verb
from receiver import access, api, http


@dataclass(frozen=True)
class Answer:
    """A response, read to its end."""

    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def events(self) -> list[tuple[str, Any]]:
        """Server-sent events: names and data."""
        blocks = [block.split("\n") for block in self.text.split("\n\n") if block.startswith("event: ")]
        return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


class Door:
    """A client of one user."""

    def __init__(self, client: aiohttp.ClientSession, token: str) -> None:
        self.client = client
        self.login = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        sent = self.login | (headers or {})
        async with self.client.request(method, f"http://door{path}", headers=sent, **more) as response:
            return Answer(response.status, response.headers, await response.text())

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.call("GET", f"/api/v1{path}", **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.call("POST", f"/api/v1{path}", json=body, **more)

    async def stream(self, method: str, path: str, **more: Any) -> Answer:
        return await self.call(method, f"/api/v1{path}", headers={"Accept": "text/event-stream"}, **more)


@contextlib.asynccontextmanager
async def opened(house: House, *more: Verb[Any], user: str = "ada", admin: bool = False) -> AsyncIterator[Door]:
    """Serve the API on a unix socket as the daemon does; `more` are verbs beside the table's."""
    socket = Path(house.settings.data) / "run" / "http.sock"
    app = http.application(house.settings, house.accounts, cast(Any, None))
    house.accounts.on_revoked(app[access.OPEN].revoked)
    api.mount(app, house.settings, house.accounts, Dispatch(house), (*VERBS.values(), *more))
    token = house.accounts.create_token(house.accounts.add_user(user, admin=admin), "laptop")
    async with (
        http.serving(app, socket),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as client,
    ):
        yield Door(client, token)
