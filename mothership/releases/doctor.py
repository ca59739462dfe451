"""Looking at everything that must agree: the store, git's refs, Swarm, the routing table, the images."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass

from builder import Builder
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import MothershipError
from mothership.model import Release
from mothership.releases.locks import AppLocks
from mothership.releases.retire import Retirement
from mothership.releases.upkeep import Upkeep
from mothership.repos import Repos
from mothership.store import App, Apps, Releases
from mothership.swarm.cluster import Cluster, Service
from mothership.swarm.tasks import Task
from router import Router

LEAST_DISK = 0.05


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `wrong` says what is the matter, "" when nothing is; `remedy` what to do."""

    subject: str
    wrong: str = ""
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return not self.wrong


class Doctor:
    """Looks, says, and on request mends."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        apps: Apps,
        releases: Releases,
        repos: Repos,
        builder: Builder,
        cluster: Cluster,
        router: Router,
        locks: AppLocks,
        retirement: Retirement,
        upkeep: Upkeep,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._apps = apps
        self._releases = releases
        self._repos = repos
        self._builder = builder
        self._cluster = cluster
        self._router = router
        self._locks = locks
        self._retirement = retirement
        self._upkeep = upkeep

    async def look(self) -> AsyncIterator[Finding]:
        """Look at one thing after the other; an engine that doesn't answer ends it."""
        engine = await self._engine_answers()
        yield engine
        if not engine.ok:
            return
        yield await self._network()
        yield await self._registry()
        yield await self._proxy()
        yield self._disk()
        try:
            services, tasks = await self._cluster.services(), await self._cluster.all_tasks()
        except MothershipError as error:
            yield Finding("services", error.message, error.hint)
            return
        yield self._strays(services)
        for app in self._apps.all():
            if self._locks.held(app.name):
                yield Finding(f"{app.name} (a deploy is under way)")
                continue
            mine = [service for service in services if service.app == app.name]
            yield await self._app(app, mine, [task for task in tasks if task.app == app.name])

    async def repair(self) -> None:
        """Do now what upkeep does by and by. Raises MothershipError."""
        await self._upkeep.thoroughly()

    async def _engine_answers(self) -> Finding:
        try:
            info = await self._engine.info()
        except MothershipError as error:
            return Finding("container engine", error.message, error.hint)
        if not info["Swarm"].get("ControlAvailable"):
            return Finding("Swarm", "This engine is no Swarm manager.", "Run scripts/up again.")
        return Finding(f"container engine {info['ServerVersion']}, a Swarm manager")

    async def _network(self) -> Finding:
        try:
            await self._engine.network(self._settings.network)
        except MothershipError as error:
            return Finding("overlay network", error.message, "doctor --repair makes it again.")
        return Finding(f"overlay network {self._settings.network}")

    async def _registry(self) -> Finding:
        try:
            await self._builder.answering()
        except MothershipError as error:
            return Finding("image registry", error.message, "doctor --repair starts it again.")
        return Finding("image registry")

    async def _proxy(self) -> Finding:
        try:
            found = await self._router.differences()
        except MothershipError as error:
            return Finding("proxy", error.message, "doctor --repair starts it again.")
        if found:
            return Finding("proxy", f"It differs from the routing table: {found[0]}", "doctor --repair mends it.")
        return Finding("proxy, equal to the routing table")

    def _disk(self) -> Finding:
        total, _, free = shutil.disk_usage(self._settings.data)
        text = f"{free / 1e9:.0f} GB free of {total / 1e9:.0f}"
        if free < total * LEAST_DISK:
            return Finding("disk", f"Only {text}.", "Free some: cleanup, or a larger disk.")
        return Finding(f"disk, {text}")

    def _strays(self, services: list[Service]) -> Finding:
        apps = {app.name for app in self._apps.all()}
        stray = [service.name for service in services if self._retirement.owners.of(service) not in apps]
        if stray:
            return Finding("services", f"{stray[0]} belongs to no app.", "doctor --repair removes it.")
        return Finding("services")

    async def _app(self, app: App, services: list[Service], tasks: list[Task]) -> Finding:
        release = self._releases.current(app.name)
        try:
            problems = [
                *self._services(release, services),
                *self._tasks(release, tasks),
                *await self._route(app, release, tasks),
                *await self._image(release),
            ]
        except MothershipError as error:
            problems = [error.message]
        problems += self._refs(app)
        subject = f"{app.name} v{release.version}" if release else f"{app.name} (no release)"
        return Finding(subject, " ".join(problems), "doctor --repair mends what it can." if problems else "")

    def _services(self, release: Release | None, services: list[Service]) -> list[str]:
        wanted = {p: n for p, n in release.formation.items() if n} if release else {}
        version = release.version if release else 0
        have = {service.process: service.replicas for service in services if service.release == version}
        missing = [f"Its service for {p} is missing." for p in wanted if p not in have]
        scaled = [f"{p} is scaled to {have[p]}, not {n}." for p, n in wanted.items() if have.get(p, n) != n]
        old = [
            f"{service.name} is left over."
            for service in services
            if (service.release != version or service.process not in wanted)
            and not self._retirement.leaving(service.name)
        ]
        return missing + scaled + old

    def _tasks(self, release: Release | None, tasks: list[Task]) -> list[str]:
        if release is None:
            return []
        counts = {
            p: sum(t.running and t.release == release.version and t.process == p for t in tasks)
            for p in release.formation
        }
        return [f"{counts[p]} of {n} {p} run." for p, n in release.formation.items() if counts[p] < n]

    async def _route(self, app: App, release: Release | None, tasks: list[Task]) -> list[str]:
        if release is None or not release.formation.get("web"):
            return []
        servers = {server.id: server for server in await self._router.servers(app.name)}
        web = [t for t in tasks if t.running and t.process == "web" and t.release == release.version]
        unrouted = [t for t in web if t.id not in servers or servers[t.id].draining]
        down = [t for t in web if t.id in servers and not servers[t.id].up]
        return [f"web.{t.slot} gets no traffic." for t in unrouted] + [f"web.{t.slot} is down." for t in down]

    async def _image(self, release: Release | None) -> list[str]:
        if release is None or await self._builder.shelf.has(release.image):
            return []
        return [f"The image of v{release.version} is gone: redeploy {release.app}."]

    def _refs(self, app: App) -> list[str]:
        """The deploy branch is where a release that served came from; anything else was half a push."""
        if app.parent or not self._repos.path(app.name).exists():
            return []
        commit = self._repos.ref(app.name, f"refs/heads/{app.branch}")
        served = {r.commit for r in self._releases.list(app.name, limit=10_000) if r.status != "failed"}
        if not commit or not served or commit in served:
            return []
        return [f"{app.branch} is at {commit[:7]}, which never served: redeploy {app.name}, or push."]
