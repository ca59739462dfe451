"""What apps print, and what becomes of them, kept across releases and restarts, in Heroku's line format."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from mothership.engine import Engine
from mothership.errors import MothershipError, NotFound
from mothership.log import logger
from mothership.logs.journal import Journal
from mothership.logs.line import missing, stored
from mothership.logs.outlets import Outlets
from mothership.logs.pursuit import Pursuit, sieved
from mothership.logs.reach import Reach
from mothership.logs.segments import Bounds
from mothership.logs.states import States
from mothership.model import Release
from mothership.output import Output
from mothership.store.drains import Drains
from mothership.swarm.network import subnets
from mothership.swarm.plan import APP, INSTANCE, PROCESS
from mothership.swarm.tasks import Task

log = logger()
TASK_NAME = "com.docker.swarm.task.name"
"""Swarm's own label of a container: SERVICE.SLOT.TASK."""
KEEP_EVERY = 600.0
"""Seconds between two looks for what is too old."""


class AppLogs:
    """Follows every container of the installation and writes its lines to its app's journal.

    `exists` says whether there is an app of that name: what is left of others is neither followed nor kept.
    """

    def __init__(
        self,
        data: Path,
        engine: Engine,
        *,
        bounds: Bounds | None = None,
        drains: Drains | None = None,
        exists: Callable[[str], bool] | None = None,
        ca_bundle: str = "",
        proxy_port: int = 0,
    ) -> None:
        self._root = data / "logs" / "apps"
        self._engine = engine
        self._bounds = bounds or Bounds()
        self._exists = exists or (lambda app: True)
        self._pool = ThreadPoolExecutor(4, "logs")
        self._journals: dict[str, Journal] = {}
        self._following: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._forgotten: set[str] = set()
        self._states = States()
        self._seeing: asyncio.Task[None] | None = None
        self._beside: list[asyncio.Task[None]] = []
        self._closed = False
        self.outlets = Outlets(
            self.of, drains, ca_bundle=ca_bundle, reach=Reach(lambda: subnets(engine), proxy_port=proxy_port)
        )

    def of(self, app: str) -> Journal:
        if app not in self._journals:
            self._journals[app] = Journal(self._root / app, self._pool, self._bounds)
        return self._journals[app]

    def open(self, instance: str) -> None:
        """Begin to follow containers as they start, to send to the drains, and to delete what is too old."""
        self.outlets.open()
        self._beside = [asyncio.create_task(self._keep()), asyncio.create_task(self._listen(instance))]

    async def close(self) -> None:
        """Write all that has come in. What apps print from now on is read by the next daemon."""
        self._closed = True
        tasks = [task for _, task in self._following.values()] + self._beside
        tasks += [self._seeing] if self._seeing else []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.outlets.close()
        for journal in self._journals.values():
            await journal.close()

    # what the platform says

    def releasing(self, release: Release, out: Output) -> Output:
        """Say that a release is made, and by whom; the output that has its further lines in the log as well."""
        journal = self.of(release.app)
        what = f": {release.description}" if release.description else ""
        journal.note("api", f"Release v{release.version} created by {release.user or 'Mothership'}{what}")
        return out.also(journal.sink("release"))

    def failed(self, release: Release, error: BaseException) -> None:
        """Say that a release did not come to serve."""
        why = error.reason if isinstance(error, MothershipError) else "cancelled"
        self.of(release.app).note("api", f"Release v{release.version} failed: {why}")

    def scaled(self, release: Release, by: str) -> None:
        """Say how many of each process type run from now on."""
        numbers = " ".join(f"{process}={count}" for process, count in release.formation.items())
        self.of(release.app).note("api", f"Scaled to {numbers}{' by ' if by else ''}{by}")

    def see(self, tasks: Iterable[Task]) -> None:
        """Say what has become of these processes since they were last seen."""
        if self._closed or (self._seeing and not self._seeing.done()):
            return
        tasks = list(tasks)
        known = {app for app in {task.app for task in tasks} if self._exists(app)}
        self._seeing = asyncio.create_task(self._see([task for task in tasks if task.app in known]))

    # what the apps say

    def watch(self, containers: Iterable[tuple[str, str, str]]) -> None:
        """Follow these (container, app, process.N) that aren't followed yet."""
        present = set()
        for container, app, source in containers:
            present.add(container)
            self._begin(container, app, source)
        self._forgotten &= present
        for container in [c for c, (_, task) in self._following.items() if task.done() and c not in present]:
            del self._following[container]

    async def follow(self, container: str, app: str, source: str) -> None:
        """Follow one container to its end."""
        self._begin(container, app, source)
        if container in self._following:
            await asyncio.wait([self._following[container][1]])

    async def forget(self, app: str) -> None:
        """Delete an app's lines for good, and end its drains; what its containers still print is not kept."""
        mine = {container: task for container, (name, task) in self._following.items() if name == app}
        self._forgotten |= set(mine)
        for container, task in mine.items():
            task.cancel()
            del self._following[container]
        await self.outlets.forget(app)
        journal = self.of(app)
        del self._journals[app]
        await journal.delete()

    async def rename(self, app: str, other: str) -> None:
        """An app's lines and drains go on under another name; its containers are followed anew, without a gap."""
        for container, (name, task) in list(self._following.items()):
            if name == app:
                task.cancel()
                del self._following[container]
        if journal := self._journals.pop(app, None):
            await journal.close()
        with suppress(FileNotFoundError):
            (self._root / app).rename(self._root / other)
        await self.outlets.reopen(other)

    def _begin(self, container: str, app: str, source: str) -> None:
        if container in self._following or container in self._forgotten or self._closed or not self._exists(app):
            return
        self._following[container] = app, asyncio.create_task(self._follow(container, app, source))

    async def _listen(self, instance: str) -> None:
        """Follow containers from the moment they start; `watch` finds those that this misses."""
        while True:
            try:
                async for container, labels in self._engine.starts({INSTANCE: instance}):
                    slot = labels.get(TASK_NAME, "").split(".")[1:2]
                    if slot and APP in labels:
                        self._begin(container, labels[APP], f"{labels.get(PROCESS)}.{slot[0]}")
            except MothershipError as error:
                log.warning("containers are followed late", error=error.message)
            await asyncio.sleep(1)

    async def _follow(self, container: str, app: str, source: str) -> None:
        journal = self.of(app)
        whose = {1: f"{container[:12]}1", 2: f"{container[:12]}2"}
        try:
            sieves = sieved({channel: await journal.cursor(name) for channel, name in whose.items()})

            def keep(channel: int, at: str, text: str, gap: bool) -> None:
                if gap:
                    journal.put(missing(at, source))
                journal.put(stored(at, whose[channel], f"app[{source}]", text))

            await Pursuit(self._engine, container, sieves, keep).run()
            if not await self._runs(container):
                return
        except (MothershipError, OSError) as error:
            log.warning("app log interrupted", app=app, source=source, error=str(error))
        self._following.pop(container, None)

    async def _runs(self, container: str) -> bool:
        """Whether a container whose output ended runs on: the engine itself was restarted then."""
        with suppress(NotFound):
            return bool((await self._engine.inspect(container))["State"]["Running"])
        return False

    async def _see(self, tasks: list[Task]) -> None:
        self._states.keep(task.id for task in tasks)
        with suppress(OSError):
            for app in filter(self._exists, {task.app for task in tasks}):
                mine = sorted((task for task in tasks if task.app == app), key=lambda task: task.since)
                await self._states.see(self.of(app), mine)

    async def _keep(self) -> None:
        while True:
            try:
                for folder in [path for path in self._root.glob("*") if path.is_dir()]:
                    if self._exists(folder.name):
                        await asyncio.get_running_loop().run_in_executor(self._pool, self.of(folder.name).prune)
                    else:
                        await self.forget(folder.name)
            except OSError as error:
                log.warning("old app logs not deleted", error=str(error))
            await asyncio.sleep(KEEP_EVERY)
