"""Letting services go: drained in the proxy first, then stopped, in the background."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import Conflict, MothershipError
from mothership.log import logger
from mothership.releases.owners import Owners
from mothership.store import Releases
from mothership.swarm.cluster import Cluster, Service
from mothership.swarm.tasks import Task
from router import Router

log = logger()


class Retirement:
    """The services that are on their way out."""

    def __init__(
        self, settings: Settings, engine: Engine, releases: Releases, cluster: Cluster, router: Router
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._releases = releases
        self._cluster = cluster
        self._router = router
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self.owners = Owners()

    def retire(self, service: Service) -> None:
        """Let a service go."""
        self._begin(service.name, self._retire(service))

    def retire_others(self, app: str, version: int) -> None:
        """Let all services of an app's earlier releases go."""
        self._begin(f"{app}: others", self._find(app, version))

    async def recall(self, service: str, app: str) -> None:
        """Let an app's service stay after all, if it isn't gone yet; what it has in the proxy stays drained.

        One that is left from an app of this name that has another now is waited for. Raises Conflict when it stays.
        """
        anothers = await self._anothers(service, app)
        if task := self._leaving.get(service):
            if not anothers:
                task.cancel()
            await asyncio.wait([task])
        if anothers and await self._anothers(service, app):
            raise Conflict(f"The app that was named {app} before is still on its way out.", "Try again in a minute.")

    def leaving(self, service: str) -> bool:
        return service in self._leaving

    async def settle(self) -> None:
        """Wait until nothing is leaving any more."""
        while self._leaving:
            await asyncio.wait(list(self._leaving.values()))

    async def close(self) -> None:
        """Leave what is under way to the next daemon's upkeep."""
        for task in list(self._leaving.values()):
            task.cancel()

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if name in self._leaving:
            work.close()
            return
        task = asyncio.create_task(work)
        self._leaving[name] = task
        task.add_done_callback(lambda _: self._leaving.pop(name, None))

    async def _find(self, app: str, version: int) -> None:
        try:
            for service in await self._cluster.services(app):
                if service.release < version:
                    self.retire(service)
        except MothershipError as error:
            log.warning("retiring left to upkeep", app=app, error=error.message)

    async def _anothers(self, name: str, app: str) -> bool:
        """Whether the service of this name is there and belongs to an app that had the name before."""
        if not self.owners.anothers(name, app):
            return False
        return any(each.name == name and self.owners.of(each) != app for each in await self._cluster.services(app))

    async def _retire(self, service: Service) -> None:
        app = self.owners.of(service)
        try:
            tasks = await self._cluster.tasks(service.name)
            ids = tuple(task.id for task in tasks)
            if service.process == "web":
                await self._router.drain(app, ids)
                await self._router.drained(app, ids, timeout=self._patience(service))
            await self._cluster.remove(service.name)
            await self._hurry(tasks)
            if service.process == "web":
                await self._router.remove(app, ids)
            self.owners.forget(service)
        except MothershipError as error:
            log.warning("retiring left to upkeep", service=service.name, error=error.message)

    def _patience(self, service: Service) -> int:
        release = self._releases.find(self.owners.of(service), service.release)
        return release.drain if release else self._settings.drain

    async def _hurry(self, tasks: list[Task]) -> None:
        """Tell the launchers that the drain is over: the second SIGTERM, ours or Swarm's, ends their own wait."""
        for task in tasks:
            if task.process == "web" and task.running and task.container:
                with suppress(MothershipError):
                    await self._engine.kill(task.container, "SIGTERM")
