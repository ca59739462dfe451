"""How the engine is asked: blocking calls in threads, and what they raise in the user's words."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import docker
import docker.errors
import requests

from mothership.errors import Conflict, EngineUnavailable, MothershipError, NotFound

T = TypeVar("T")
API = "1.41"
"""The API that everything here is written for; an engine that no longer speaks it is spoken to in its oldest."""


class EngineError(MothershipError):
    """The engine answered, and its answer was no."""

    reason = "container engine error"


class Calls:
    """The way to one container engine, by default the local one.

    Raises EngineUnavailable when it doesn't answer, NotFound and Conflict as it says, EngineError otherwise.
    """

    def __init__(self, host: str = "unix:///var/run/docker.sock") -> None:
        self.host = host
        self.socket = host.removeprefix("unix://")
        self._client: Any = None
        self._logins: dict[str, dict[str, str]] = {}

    def login(self, registry: str, user: str, password: str) -> None:
        """Have images of a registry (host:port) pushed and pulled by a password, by the engine and by Swarm's nodes."""
        self._logins[registry] = {"username": user, "password": password, "serveraddress": registry}

    def login_for(self, reference: str) -> dict[str, str]:
        return self._logins.get(reference.partition("/")[0], {})

    def _api(self) -> Any:
        if self._client is None:
            client = docker.APIClient(base_url=self.host, version=API, timeout=120, max_pool_size=64)
            spoken = spoken_version(client.version(api_version=False))
            if spoken != API:
                client = docker.APIClient(base_url=self.host, version=spoken, timeout=120, max_pool_size=64)
            self._client = client
        return self._client

    async def path(self, path: str) -> str:
        """A path of the API with its version."""
        return str(await self.call(lambda api: f"/v{api.api_version}{path}"))

    async def call(self, verb: Callable[[Any], T]) -> T:
        """Run a blocking docker-py call in a thread and translate what it raises."""
        return await asyncio.to_thread(self._guarded, verb)

    def _guarded(self, verb: Callable[[Any], T]) -> T:
        try:
            return verb(self._api())
        except docker.errors.APIError as error:
            raise _translated(error) from error
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            raise EngineUnavailable(
                f"The container engine at {self.socket} does not answer.",
                "Start it: systemctl start docker (or run scripts/up again).",
            ) from error


def spoken_version(answer: Mapping[str, Any]) -> str:
    """The API version to speak with an engine that answered `GET /version` so."""
    oldest = str(answer.get("MinAPIVersion") or API)
    return max(API, oldest, key=lambda version: [int(part) for part in version.split(".")])


def labelled(labels: Mapping[str, str]) -> list[str]:
    """The filter for all these labels; an empty value stands for any."""
    return [f"{key}={value}" if value else key for key, value in labels.items()]


def _translated(error: Any) -> MothershipError:
    text = str(error.explanation or error)
    if isinstance(error, docker.errors.NotFound):
        return NotFound(text)
    if getattr(error, "status_code", 0) == 409:
        return Conflict(text)
    return EngineError(f"The container engine refused: {text}")
