"""Watching a release's tasks until every process type is up, or one shows that it won't be."""

import asyncio
from dataclasses import dataclass, field

from mothership.config import Settings
from mothership.model import Release
from mothership.output import Output
from mothership.releases.diagnosis import Diagnosis
from mothership.swarm.cluster import Cluster
from mothership.swarm.plan import port
from mothership.swarm.tasks import Task
from router import Router, Target

PACE = 0.05


@dataclass
class Boot:
    """The start of one release: which tasks are routed and up, and since when workers run."""

    settings: Settings
    cluster: Cluster
    router: Router
    diagnosis: Diagnosis
    release: Release
    added: set[str] = field(default_factory=set)
    _running_since: dict[str, float] = field(default_factory=dict)
    _probes: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def until_up(self, quantities: dict[str, int], out: Output) -> tuple[str, ...]:
        """Wait until all are up; the web tasks' ids. Raises ReleaseFailed with the crash log already shown."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.boot_timeout
        waiting = {process: count for process, count in quantities.items() if count}
        try:
            while True:
                ready = [await self._up(process, count, out) for process, count in waiting.items()]
                if all(ready):
                    return tuple(self.added)
                if loop.time() > deadline:
                    await self._give_up(waiting, ready, out)
                await asyncio.sleep(PACE)
        finally:
            for probe in self._probes.values():
                probe.cancel()

    async def _up(self, process: str, count: int, out: Output) -> bool:
        tasks = await self.cluster.tasks(self.cluster.name(self.release, process))
        for task in tasks:
            if task.crashed:
                await self._show(task, out)
                raise await self.diagnosis.crashed(self.release, task)
        live = [task for task in tasks if not task.dead and task.wanted in ("running", "ready")]
        if process == "web":
            return await self._web_up(live, count)
        return self._steady(live, count)

    async def _web_up(self, live: list[Task], count: int) -> bool:
        number = port(self.release.image)
        fresh = [task for task in live if task.address and task.id not in self.added]
        if fresh:
            targets = tuple(Target(id=task.id, address=task.address, port=number) for task in fresh)
            await self.router.add(self.release.app, targets)
            self.added |= {task.id for task in fresh}
        if len(self.added) < count:
            return False
        up = {server.id for server in await self.router.servers(self.release.app) if server.up} & self.added
        for id in up - set(self._probes):
            self._probes[id] = asyncio.create_task(self.router.answers(self.release.app, id))
        return sum(self._probes[id].done() for id in up) >= count

    def _steady(self, live: list[Task], count: int) -> bool:
        now = asyncio.get_running_loop().time()
        running = [task for task in live if task.state == "running"]
        for task in running:
            self._running_since.setdefault(task.id, now)
        steady = [task for task in running if now - self._running_since[task.id] >= self.settings.worker_uptime]
        return len(steady) >= count

    async def _give_up(self, waiting: dict[str, int], ready: list[bool], out: Output) -> None:
        seconds = self.settings.boot_timeout
        late = next(process for process, up in zip(waiting, ready, strict=True) if not up)
        tasks = await self.cluster.tasks(self.cluster.name(self.release, late))
        task = next((task for task in tasks if task.container), tasks[0] if tasks else None)
        if task:
            await self._show(task, out)
        raise await self.diagnosis.silent(
            self.release, task, process=late, seconds=seconds, connected=bool(self._probes)
        )

    async def _show(self, task: Task, out: Output) -> None:
        lines = await self.diagnosis.last_lines(task)
        if not lines:
            out.detail(f"{task.process}.{task.slot} printed nothing.")
            return
        out.detail(f"The last lines of {task.process}.{task.slot}:")
        for line in lines:
            out.detail(f"  {line}")
