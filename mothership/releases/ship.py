"""The one way a release comes to serve: push, config change, rollback, redeploy and scale all go through here."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from mothership.applogs import AppLogs
from mothership.config import Settings
from mothership.errors import MothershipError
from mothership.log import logger
from mothership.model import Image, Release
from mothership.output import Output
from mothership.releases.boot import Boot
from mothership.releases.checks import Examiner
from mothership.releases.diagnosis import Diagnosis
from mothership.releases.phase import RELEASE, Phase
from mothership.releases.retire import Retirement
from mothership.store import App, Apps, Releases
from mothership.swarm.cluster import Cluster
from router import Router

log = logger()


@dataclass(frozen=True)
class Order:
    """What should serve, and why. `formation` overrides what the app asks for, process type by process type.

    `phase` says whether the release phase's commands run first.
    """

    app: App
    image: Image
    config: Mapping[str, str]
    commit: str
    user: str
    description: str
    formation: Mapping[str, int] | None = None
    phase: bool = True
    secret: frozenset[str] = frozenset()
    """Config vars to be marked secret, beside those that are."""


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
        examiner: Examiner,
        phase: Phase,
        retirement: Retirement,
        logs: AppLogs,
    ) -> None:
        self._settings = settings
        self._apps = apps
        self._releases = releases
        self._cluster = cluster
        self._router = router
        self._diagnosis = diagnosis
        self._examiner = examiner
        self._phase = phase
        self.retirement = retirement
        self._logs = logs
        self._switching: dict[str, asyncio.Lock] = {}

    async def ship(self, order: Order, out: Output) -> Release:
        """Make a release of the order and bring it to serve. The caller holds the app's lock.

        Raises ReleaseFailed (or Unavailable) with the old release serving as before; so does a cancellation.
        """
        release = self._releases.create(self._planned(order))
        out = self._logs.releasing(release, out)
        out.step(f"Releasing v{release.version}")
        boot = self._boot(release, order.app)
        try:
            if order.phase:
                await self._phase.before(release, out)
            await self._start(release, release.formation, out)
            ids = await boot.until_up(dict(release.formation), out)
            if order.phase:
                await self._phase.after(release, out)
            await self._switch(order, release, ids)
        except BaseException as error:
            await asyncio.shield(asyncio.ensure_future(self._undo(release, boot)))
            self._logs.failed(release, error)
            raise
        self._logs.of(release.app).note("api", f"Release v{release.version} serves")
        self.retirement.retire_others(release.app, release.version)
        return release

    async def scale(self, app: App, quantities: Mapping[str, int], out: Output, *, by: str = "") -> Release:
        """Change how many of each process type of the current release run. The caller holds the app's lock.

        What is more is started, probed and routed first; only then does what is less go. Raises ReleaseFailed with
        everything as it was.
        """
        current = self._releases.current(app.name)
        if current is None:
            self._apps.scale(app, quantities)
            raise MothershipError(f"{app.name} has no release yet; the new numbers apply to the first one.")
        wanted = replace(current, formation={**current.formation, **quantities})
        more = {p: n for p, n in quantities.items() if n > current.formation.get(p, 0)}
        boot = self._boot(wanted, app)
        known = {server.id for server in await self._router.servers(app.name)}
        try:
            await self._start(wanted, more, out)
            ids = await boot.until_up(more, out)
            await self._router.activate(app.name, ids)
        except BaseException:
            await asyncio.shield(asyncio.ensure_future(self._unscale(current, more, boot.added - known)))
            raise
        self._apps.scale(app, quantities)
        self._releases.rescale(wanted)
        self._logs.scaled(wanted, by)
        await self._shrink(current, {p: n for p, n in quantities.items() if n < current.formation.get(p, 0)})
        return wanted

    async def forget(self, app: str) -> None:
        """Take all of an app's services and its route away."""
        await self._router.forget(app)
        for service in await self._cluster.services(app):
            await self._cluster.remove(service.name)
        await self._logs.forget(app)

    def switching(self, app: str) -> asyncio.Lock:
        """Held while the route of an app moves and the store learns of it."""
        return self._switching.setdefault(app, asyncio.Lock())

    def _planned(self, order: Order) -> Release:
        asked = self._apps.formation(order.app) | dict(order.formation or {})
        defaults = {process: int(process == "web") for process in order.image.processes if process != RELEASE}
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
            drain=self._settings.drain if order.app.drain is None else order.app.drain,
        )

    def _boot(self, release: Release, app: App) -> Boot:
        unchecked = frozenset(app.unchecked)
        return Boot(
            self._settings, self._cluster, self._router, self._diagnosis, self._examiner, release, unchecked=unchecked
        )

    async def _start(self, release: Release, quantities: Mapping[str, int], out: Output) -> None:
        for process, quantity in quantities.items():
            if quantity:
                out.detail(f"Starting {process}={quantity}")
                await self.retirement.recall(self._cluster.name(release, process), release.app)
                await self._cluster.start(release, process, quantity)

    async def _switch(self, order: Order, release: Release, ids: tuple[str, ...]) -> None:
        """The route moves, and with it all that the store knows of the app: config, formation, current release."""
        async with self.switching(release.app):
            await self._router.switch(release.app, ids)
            with self._releases.all_or_nothing():
                self._releases.make_current(release)
                self._apps.replace_config(order.app, release.config, secret=order.secret)
                if order.formation:
                    self._apps.scale(order.app, release.formation)

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

    async def _unscale(self, current: Release, more: Mapping[str, int], added: set[str]) -> None:
        """Take back what a failed scaling started."""
        with suppress(MothershipError):
            await self._router.remove(current.app, tuple(added))
        try:
            for process in more:
                before = current.formation.get(process, 0)
                if before:
                    await self._cluster.start(current, process, before)
                else:
                    await self._cluster.remove(self._cluster.name(current, process))
        except MothershipError as error:
            log.warning("undo left to upkeep", app=current.app, error=error.message)

    async def _shrink(self, release: Release, less: Mapping[str, int]) -> None:
        """Fewer tasks: Swarm chooses which go, and each one's launcher holds on until the proxy has let go of it."""
        services = {s.process: s for s in await self._cluster.services(release.app) if s.release == release.version}
        for process, quantity in less.items():
            if quantity:
                await self._cluster.start(release, process, quantity)
            elif process in services:
                self.retirement.retire(services[process])
