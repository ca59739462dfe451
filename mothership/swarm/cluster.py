"""The Swarm's side of an installation: its services, their tasks, and the network between them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import Conflict, NotFound
from mothership.model import Release
from mothership.swarm.plan import APP, INSTANCE, PROCESS, RELEASE, service, service_name
from mothership.swarm.tasks import Task, task

ATTEMPTS = 5
PACE = 0.2


@dataclass(frozen=True)
class Service:
    """A service of this installation as Swarm has it."""

    id: str
    name: str
    app: str
    process: str
    release: int
    replicas: int


class Cluster:
    """Services are made, scaled, watched and removed here; nothing without this instance's label is touched."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    async def start(self, release: Release, process: str, replicas: int) -> str:
        """Create the service of one process type of a release, or take the one that is already there; its name."""
        plan = service(self._settings, release, process, replicas, network=self._settings.network)
        name = str(plan["Name"])
        for attempt in range(ATTEMPTS):
            try:
                await self._engine.create_service(plan)
                return name
            except Conflict as error:
                there = name in {service.name for service in await self.services(release.app)}
                if not there and attempt == ATTEMPTS - 1:
                    raise Conflict(
                        f"The Swarm has a service named {name} that is not Mothership's.",
                        f"Remove or rename it: docker service rm {name}",
                    ) from error
            if there:
                with suppress(NotFound):  # it went in this very moment
                    await self._engine.scale_service(name, replicas)
                    return name
            await asyncio.sleep(PACE)
        raise Conflict(f"The service {name} comes and goes; somebody else is at work on it.", "Try again.")

    def name(self, release: Release, process: str) -> str:
        """The name of the service of one process type of a release."""
        return service_name(self._settings, release.app, process, release.version)

    async def remove(self, name: str) -> None:
        """Remove a service; Swarm stops its tasks with their grace period."""
        await self._engine.remove_service(name)

    async def services(self, app: str = "") -> list[Service]:
        """This installation's services, or one app's."""
        wanted = {INSTANCE: self._settings.instance} | ({APP: app} if app else {})
        return [_service(found) for found in await self._engine.services(wanted)]

    async def tasks(self, service: str) -> list[Task]:
        """All tasks of a service, the dead ones in Swarm's short history too."""
        try:
            found = await self._engine.tasks(service=service)
        except NotFound:
            return []
        return [task(data, self._settings.network) for data in found]

    async def all_tasks(self, app: str = "") -> list[Task]:
        """The tasks of this installation, or of one app."""
        wanted = {INSTANCE: self._settings.instance} | ({APP: app} if app else {})
        return [task(data, self._settings.network) for data in await self._engine.tasks(labels=wanted)]


def _service(data: dict[str, Any]) -> Service:
    spec = data["Spec"]
    names = spec["Labels"]
    return Service(
        id=data["ID"],
        name=spec["Name"],
        app=names[APP],
        process=names[PROCESS],
        release=int(names[RELEASE]),
        replicas=int(spec["Mode"].get("Replicated", {}).get("Replicas", 0)),
    )
