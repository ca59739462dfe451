"""The one way a release comes to serve: push, config change, rollback, redeploy and scale all go through here."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from mothership.config import Settings
from mothership.errors import MothershipError
from mothership.log import logger
from mothership.model import Image, Release
from mothership.output import Output
from mothership.releases.boot import Boot
from mothership.releases.diagnosis import Diagnosis
from mothership.store import App, Apps, Releases
from mothership.swarm.cluster import Cluster, Service
from router import Router

log = logger()


@dataclass(frozen=True)
class Order:
    """What should serve, and why. `formation` overrides what the app asks for, process type by process type."""

    app: App
    image: Image
    config: Mapping[str, str]
    commit: str
    user: str
    description: str
    formation: Mapping[str, int] | None = None


class Shipper:
    """Starts a release beside the old one, switches the route in one step, and lets the old one drain and go."""

    def __init__(
        self,
        settings: Settings,
        apps: Apps,
        releases: Releases,
        cluster: Cluster,
        router: Router,
        diagnosis: Diagnosis,
    ) -> None:
        self._settings = settings
        self._apps = apps
        self._releases = releases
        self._cluster = cluster
        self._router = router
        self._diagnosis = diagnosis
        self._retiring: dict[str, asyncio.Task[None]] = {}
        self._switching: dict[str, asyncio.Lock] = {}

    async def ship(self, order: Order, out: Output) -> Release:
        """Make a release of the order and bring it to serve. The caller holds the app's lock.

        Raises ReleaseFailed (or Unavailable) with the old release serving as before; so does a cancellation.
        """
        release = self._releases.create(self._planned(order))
        out.step(f"Releasing v{release.version}")
        boot = Boot(self._settings, self._cluster, self._router, self._diagnosis, release)
        try:
            await self._start(release, out)
            ids = await boot.until_up(dict(release.formation), out)
            await self._switch(release, ids)
        except BaseException:
            await asyncio.shield(asyncio.ensure_future(self._undo(release, boot)))
            raise
        self._retire_others(release)
        return release

    async def scale(self, app: App, quantities: Mapping[str, int], out: Output) -> Release:
        """Change how many of each process type of the current release run. The caller holds the app's lock."""
        current = self._releases.current(app.name)
        self._apps.scale(app, quantities)
        if current is None:
            raise MothershipError(f"{app.name} has no release yet; the new numbers apply to the first one.")
        wanted = replace(current, formation={**current.formation, **quantities})
        boot = Boot(self._settings, self._cluster, self._router, self._diagnosis, wanted)
        for process, quantity in quantities.items():
            if quantity and quantity != current.formation.get(process):
                await self._cluster.start(wanted, process, quantity)
        self._releases.rescale(wanted)
        ids = await boot.until_up({p: n for p, n in quantities.items() if n > current.formation.get(p, 0)}, out)
        if ids:
            await self._router.activate(app.name, ids)
        for service in await self._cluster.services(app.name):
            if quantities.get(service.process) == 0 and service.release == current.version:
                self.retire(service)
        return wanted

    async def forget(self, app: str) -> None:
        """Take all of an app's services and its route away."""
        await self._router.forget(app)
        for service in await self._cluster.services(app):
            await self._cluster.remove(service.name)

    def switching(self, app: str) -> asyncio.Lock:
        """Held while the route of an app moves and the store learns of it."""
        return self._switching.setdefault(app, asyncio.Lock())

    def retiring(self, service: str) -> bool:
        return service in self._retiring

    def retire(self, service: Service) -> None:
        """Let a service go in the background: drained in the proxy first, then stopped."""
        if service.name not in self._retiring:
            task = asyncio.create_task(self._retire(service))
            self._retiring[service.name] = task
            task.add_done_callback(lambda _: self._retiring.pop(service.name, None))

    async def settle(self) -> None:
        """Wait until nothing is retiring any more."""
        while self._retiring:
            await asyncio.wait(list(self._retiring.values()))

    async def close(self) -> None:
        """Leave what is retiring to the next daemon's upkeep."""
        for task in list(self._retiring.values()):
            task.cancel()

    def _planned(self, order: Order) -> Release:
        asked = self._apps.formation(order.app) | dict(order.formation or {})
        defaults = {process: int(process == "web") for process in order.image.processes if process != "release"}
        return Release(
            app=order.app.name,
            version=0,
            image=order.image,
            config=dict(order.config),
            formation={process: asked.get(process, count) for process, count in defaults.items()},
            limits=self._apps.limits(order.app),
            commit=order.commit,
            description=order.description,
            user=order.user,
        )

    async def _start(self, release: Release, out: Output) -> None:
        for process, quantity in release.formation.items():
            if quantity:
                out.detail(f"Starting {process}={quantity}")
                await self._cluster.start(release, process, quantity)

    async def _switch(self, release: Release, ids: tuple[str, ...]) -> None:
        async with self.switching(release.app):
            await self._router.switch(release.app, ids)
            self._releases.make_current(release)

    async def _undo(self, release: Release, boot: Boot) -> None:
        with suppress(MothershipError):
            await self._router.remove(release.app, tuple(boot.added))
        try:
            for service in await self._cluster.services(release.app):
                if service.release == release.version:
                    await self._cluster.remove(service.name)
        except MothershipError as error:
            log.warning("undo left to upkeep", app=release.app, release=release.version, error=error.message)
        self._releases.fail(release)

    def _retire_others(self, release: Release) -> None:
        async def find() -> None:
            for service in await self._cluster.services(release.app):
                if service.release < release.version:
                    self.retire(service)

        task = asyncio.create_task(find())
        self._retiring[f"{release.app}: others"] = task
        task.add_done_callback(lambda _: self._retiring.pop(f"{release.app}: others", None))

    async def _retire(self, service: Service) -> None:
        try:
            ids = tuple(task.id for task in await self._cluster.tasks(service.name))
            if service.process == "web":
                await self._router.drain(service.app, ids)
                await self._router.drained(service.app, ids, timeout=self._settings.drain)
            await self._cluster.remove(service.name)
            if service.process == "web":
                await self._router.remove(service.app, ids)
        except MothershipError as error:
            log.warning("retiring left to upkeep", service=service.name, error=error.message)
