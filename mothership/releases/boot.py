"""Watching a release's tasks until every process type is up, or one shows that it won't be."""

import asyncio
from dataclasses import dataclass, field

from mothership.config import Settings
from mothership.errors import ReleaseFailed
from mothership.health import Check, of_kind
from mothership.model import Release
from mothership.output import Output
from mothership.releases.checks import Examiner
from mothership.releases.diagnosis import Diagnosis
from mothership.swarm.cluster import Cluster
from mothership.swarm.plan import port
from mothership.swarm.tasks import Task
from router import Reply, Router, Target

PACE = 0.05
ALL = "all"


@dataclass
class Boot:
    """The start of one release: which tasks are routed and up, and since when workers run.

    `unchecked` are the process types whose checks somebody disabled: they are up as soon as they run.
    """

    settings: Settings
    cluster: Cluster
    router: Router
    diagnosis: Diagnosis
    examiner: Examiner
    release: Release
    unchecked: frozenset[str] = frozenset()
    added: set[str] = field(default_factory=set)
    _running_since: dict[str, float] = field(default_factory=dict)
    _answering: dict[str, asyncio.Task[Reply]] = field(default_factory=dict)
    _examined: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def until_up(self, quantities: dict[str, int], out: Output) -> tuple[str, ...]:
        """Wait until all are up; the web tasks' ids. Raises ReleaseFailed with the crash log already shown."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.boot_timeout
        waiting = {process: count for process, count in quantities.items() if count}
        try:
            while True:
                ready = [await self._up(process, count, out) for process, count in waiting.items()]
                if all(ready):
                    self._remark(out)
                    return tuple(self.added)
                if loop.time() > deadline and all(task.done() for task in self._examined.values()):
                    await self._give_up(waiting, ready, out)
                await asyncio.sleep(PACE)
        finally:
            for probe in (*self._answering.values(), *self._examined.values()):
                probe.cancel()

    def _remark(self, out: Output) -> None:
        """Say of an app that sends its visitors to https that this server has none."""
        answered = [task for task in self._answering.values() if task.done() and not task.cancelled()]
        elsewhere = [task.result().location for task in answered if not task.exception()]
        if not self.settings.https and any(f"https://{self.release.app}." in place for place in elsewhere):
            out.error(f"{self.release.app} redirects to https://, which this server doesn't speak by itself.")
            out.error(
                "Turn that off in the app, or have an admin put a proxy with certificates in front (https = true)."
            )

    async def _up(self, process: str, count: int, out: Output) -> bool:
        tasks = await self.cluster.tasks(self.cluster.name(self.release, process))
        for task in tasks:
            if task.crashed:
                await self._show(task, out)
                raise await self.diagnosis.crashed(self.release, task)
        live = [task for task in tasks if not task.dead and task.wanted in ("running", "ready")]
        ready = await self._web_up(live) if process == "web" else self._steady(process, live)
        passed = [self._passes(process, task, out) for task in ready]
        return sum(passed) >= count

    async def _web_up(self, live: list[Task]) -> list[Task]:
        """The web tasks that serve: they have answered a request, or a declared check will ask them for one."""
        number = port(self.release)
        fresh = [task for task in live if task.address and task.id not in self.added]
        if fresh:
            targets = tuple(Target(id=task.id, address=task.address, port=number) for task in fresh)
            await self.router.add(self.release.app, targets)
            self.added |= {task.id for task in fresh}
        if self._unchecked("web"):
            return [task for task in live if task.state == "running"]
        up = {server.id for server in await self.router.servers(self.release.app) if server.up} & self.added
        if any(check.path for check in self._startup("web")):
            return [task for task in live if task.id in up]
        for id in up - set(self._answering):
            self._answering[id] = asyncio.create_task(self.router.answers(self.release.app, id))
        return [task for task in live if task.id in up and self._answering[task.id].done()]

    def _steady(self, process: str, live: list[Task]) -> list[Task]:
        now = asyncio.get_running_loop().time()
        uptimes = [check.uptime for check in self._startup(process) if check.uptime >= 0]
        uptime = 0 if self._unchecked(process) else max(uptimes, default=self.settings.worker_uptime)
        running = [task for task in live if task.state == "running"]
        for task in running:
            self._running_since.setdefault(task.id, now)
        return [task for task in running if now - self._running_since[task.id] >= uptime]

    def _passes(self, process: str, task: Task, out: Output) -> bool:
        """Whether the task has passed the checks that app.json declares. Raises ReleaseFailed."""
        checks = () if self._unchecked(process) else self._startup(process)
        if not checks:
            return True
        if task.id not in self._examined:
            self._examined[task.id] = asyncio.create_task(self._examine(checks, task, out))
        examined = self._examined[task.id]
        if examined.done():
            examined.result()
        return examined.done()

    async def _examine(self, checks: tuple[Check, ...], task: Task, out: Output) -> None:
        try:
            for check in checks:
                await self.examiner.startup(self.release, task, check, out)
        except ReleaseFailed:
            await self._show(task, out)
            raise

    def _startup(self, process: str) -> tuple[Check, ...]:
        return of_kind(self.release.image.checks, process, "startup")

    def _unchecked(self, process: str) -> bool:
        return bool(self.unchecked & {process, ALL})

    async def _give_up(self, waiting: dict[str, int], ready: list[bool], out: Output) -> None:
        seconds = self.settings.boot_timeout
        late = next(process for process, up in zip(waiting, ready, strict=True) if not up)
        tasks = await self.cluster.tasks(self.cluster.name(self.release, late))
        task = next((task for task in tasks if task.container), tasks[0] if tasks else None)
        if task:
            await self._show(task, out)
        raise await self.diagnosis.silent(
            self.release, task, process=late, seconds=seconds, connected=bool(self._answering)
        )

    async def _show(self, task: Task, out: Output) -> None:
        lines = await self.diagnosis.last_lines(task)
        if not lines:
            out.detail(f"{task.process}.{task.slot} printed nothing.")
            return
        out.detail(f"The last lines of {task.process}.{task.slot}:")
        for line in lines:
            out.detail(f"  {line}")
