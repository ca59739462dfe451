"""The reconciler: what should run is in the store; what differs on the engine or in the proxy is put right."""

import asyncio
from dataclasses import replace

from builder import Builder
from mothership.applogs import AppLogs
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import MothershipError
from mothership.log import logger
from mothership.model import Release
from mothership.releases.locks import AppLocks
from mothership.releases.ship import Shipper
from mothership.releases.vitals import Vitals
from mothership.store import App, Apps, Releases
from mothership.swarm.cluster import Cluster, Service
from mothership.swarm.network import ensure_network
from mothership.swarm.plan import port
from mothership.swarm.tasks import Task
from router import Router, Target

log = logger()
PACE = 0.5
THOROUGH = 10.0


class Upkeep:
    """Runs beside the deploys: routes replaced tasks, restores what was removed, removes what is left over."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        apps: Apps,
        releases: Releases,
        cluster: Cluster,
        router: Router,
        shipper: Shipper,
        locks: AppLocks,
        logs: AppLogs,
        builder: Builder,
        vitals: Vitals,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._apps = apps
        self._releases = releases
        self._cluster = cluster
        self._router = router
        self._shipper = shipper
        self._locks = locks
        self._logs = logs
        self._builder = builder
        self._vitals = vitals
        self._seen: dict[str, frozenset[tuple[str, str, bool]]] = {}
        self._dynos: dict[str, str] = {}
        self._thorough_at = 0.0

    def dyno(self, task: str) -> str:
        """The name of a task by its id, such as web.1; "" when it isn't known."""
        return self._dynos.get(task, "")

    async def forever(self) -> None:
        """Look every half second, and thoroughly every ten; an unreachable engine is waited for."""
        failing = False
        while True:
            try:
                await self.once()
                failing = False
            except MothershipError as error:
                if not failing:
                    log.warning("upkeep waits", error=error.message)
                failing = True
            await asyncio.sleep(PACE)

    async def close(self) -> None:
        """Stop looking at the processes' health."""
        await self._vitals.close()

    async def thoroughly(self) -> None:
        """Look at everything now, the containers of our own too."""
        self._thorough_at = 0.0
        await self.once()

    async def once(self) -> None:
        """Compare and mend one time."""
        now = asyncio.get_running_loop().time()
        thorough = now >= self._thorough_at
        if thorough:
            self._thorough_at = now + THOROUGH
            self._seen.clear()
            await ensure_network(self._settings, self._engine)
            await self._router.ensure()
            await self._builder.ensure()
        services = await self._cluster.services()
        found = await self._cluster.all_tasks()
        apps, owner = self._apps.all(), self._shipper.retirement.owners.of
        tasks = [replace(task, app=owner(task)) for task in found]
        self._logs.watch((t.container, t.app, f"{t.process}.{t.slot}") for t in tasks if t.container and t.app)
        self._dynos = {task.id: f"{task.process}.{task.slot}" for task in tasks}
        serving = self._releases.serving()
        self._vitals.watch(serving, tasks)
        for app in apps:
            release = serving.get(app.name)
            mine = [service for service in services if owner(service) == app.name]
            if not self._locks.held(app.name) and _differ(release, mine):
                # The release was read before other work was waited for: a deploy may have ended meanwhile.
                await self._mend_services(self._releases.current(app.name), mine)
            await self._mend_route(app, release, [task for task in tasks if task.app == app.name])
        names = {app.name for app in apps}
        for service in services:
            # Asked anew: the app may have got another name while the others were looked at.
            if owner(service) not in names and not self._apps.exists(owner(service)):
                await self._cluster.remove(service.name)

    async def _mend_services(self, release: Release | None, services: list[Service]) -> None:
        wanted = {p: n for p, n in release.formation.items() if n} if release else {}
        version = release.version if release else 0
        have = {service.process: service for service in services if service.release == version}
        for process, quantity in wanted.items():
            found = have.get(process)
            if release and (found is None or found.replicas != quantity):
                log.info("restoring", app=release.app, process=process, quantity=quantity)
                await self._cluster.start(release, process, quantity)
        for service in services:
            if service.release != version or service.process not in wanted:
                self._shipper.retirement.retire(service)

    async def _mend_route(self, app: App, release: Release | None, tasks: list[Task]) -> None:
        version = release.version if release else 0
        web = [task for task in tasks if task.process == "web"]
        seen = frozenset((task.id, task.address, task.dead or task.wanted != "running") for task in web)
        if self._seen.get(app.name) == seen:
            return
        async with self._shipper.switching(app.name):
            if release != self._releases.current(app.name):
                return
            if not (release and self._locks.held(app.name)):  # a deploy in progress may be a rename
                await self._router.set_hosts(app.name, self._apps.hosts(app, self._settings.domain))
                await self._router.set_closed(app.name, app.closed)
                await self._router.set_logged(app.name, app.logged)
            if release:
                await self._route(app, release, [task for task in web if task.release == version])
            await self._unroute(app, web)
        self._seen[app.name] = seen

    async def _route(self, app: App, release: Release, tasks: list[Task]) -> None:
        have = {server.id: server for server in await self._router.servers(app.name)}
        live = [task for task in tasks if task.address and not task.dead and task.wanted == "running"]
        fresh = tuple(Target(task.id, task.address, port(release)) for task in live if task.id not in have)
        if fresh:
            await self._router.add(app.name, fresh)
        idle = tuple(
            task.id
            for task in live
            if task.id not in self._vitals.unready
            and (task.id not in have or have[task.id].draining or not have[task.id].weight)
        )
        if idle:
            await self._router.activate(app.name, idle)

    async def _unroute(self, app: App, tasks: list[Task]) -> None:
        known = {task.id: task for task in tasks}
        servers = await self._router.servers(app.name)
        leaving = [s for s in servers if s.id in known and known[s.id].wanted not in ("running", "ready")]
        await self._router.drain(app.name, tuple(s.id for s in leaving if not s.draining and not known[s.id].dead))
        shipping = self._locks.held(app.name)
        gone = [s.id for s in servers if (known[s.id].dead if s.id in known else not shipping)]
        if gone:
            await self._router.remove(app.name, tuple(gone))


def _differ(release: Release | None, services: list[Service]) -> bool:
    """Whether an app's services are other ones than its release asks for."""
    wanted = {(p, release.version, n) for p, n in release.formation.items() if n} if release else set()
    return wanted != {(service.process, service.release, service.replicas) for service in services}
