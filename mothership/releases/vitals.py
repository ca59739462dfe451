"""Readiness and liveness: running processes are looked at as app.json says, for as long as they run."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

from mothership.applogs import AppLogs
from mothership.engine import Engine
from mothership.errors import MothershipError
from mothership.health import Check
from mothership.log import logger
from mothership.model import Release
from mothership.releases.checks import Examiner
from mothership.swarm.tasks import Task
from router import Router

log = logger()
PATIENCE = 10
"""Seconds a process that failed its liveness check has to end."""


class Vitals:
    """Watches tasks with readiness and liveness checks. `unready` are those kept out of rotation."""

    def __init__(self, engine: Engine, router: Router, examiner: Examiner, logs: AppLogs) -> None:
        self._engine = engine
        self._router = router
        self._examiner = examiner
        self._logs = logs
        self._watched: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._web: dict[str, set[str]] = {}
        self.unready: set[str] = set()

    def watch(self, releases: Mapping[str, Release], tasks: Iterable[Task]) -> None:
        """Look at exactly the running tasks of these releases from now on."""
        wanted: dict[tuple[str, int], tuple[Release, Task, Check]] = {}
        self._web = {}
        tasks = list(tasks)
        self._logs.see(tasks)
        for task in tasks:
            release = releases.get(task.app)
            if release is None or not task.running or task.release != release.version:
                continue
            if task.process == "web":
                self._web.setdefault(task.app, set()).add(task.id)
            for number, check in enumerate(release.image.checks.get(task.process, ())):
                if check.kind != "startup":
                    wanted[task.id, number] = release, task, check
        for key in set(self._watched) - set(wanted):
            self._watched.pop(key).cancel()
            self.unready.discard(key[0])
        for key in set(wanted) - set(self._watched):
            self._watched[key] = asyncio.create_task(self._look(*wanted[key]))

    async def close(self) -> None:
        watching = list(self._watched.values())
        for task in watching:
            task.cancel()
        if watching:
            await asyncio.wait(watching)

    async def _look(self, release: Release, task: Task, check: Check) -> None:
        await asyncio.sleep(check.initial_delay)
        failures = 0
        while True:
            why = await self._examiner.look(release, task, check)
            failures = failures + 1 if why else 0
            with suppress(MothershipError):
                if not why:
                    await self._recovered(task, check)
                elif failures >= check.attempts:
                    await self._failed(task, check, why)
            await asyncio.sleep(max(check.wait, 1))

    async def _recovered(self, task: Task, check: Check) -> None:
        if check.kind == "readiness" and task.id in self.unready:
            self.unready.discard(task.id)
            log.info("ready again", app=task.app, task=f"{task.process}.{task.slot}")
            await self._router.activate(task.app, (task.id,))

    async def _failed(self, task: Task, check: Check, why: str) -> None:
        known = {"app": task.app, "task": f"{task.process}.{task.slot}", "check": check.title, "why": why}
        said = f"The {check.kind} check {check.title} failed: {why}"
        journal = self._logs.of(task.app)
        if check.kind == "liveness":
            journal.note(f"{task.process}.{task.slot}", f"{said}; restarting")
            log.warning("liveness check failed, restarting", **known)
            await self._out_of_rotation(task)
            await self._engine.stop(task.container, timeout=PATIENCE)
        elif task.process == "web" and task.id not in self.unready and self._others_are_ready(task):
            journal.note(f"{task.process}.{task.slot}", f"{said}; out of rotation")
            log.warning("readiness check failed, out of rotation", **known)
            await self._out_of_rotation(task)

    async def _out_of_rotation(self, task: Task) -> None:
        if task.process == "web":
            self.unready.add(task.id)
            await self._router.drain(task.app, (task.id,))

    def _others_are_ready(self, task: Task) -> bool:
        """Whether some replica is left: taking the last one out would help nobody."""
        return bool(self._web.get(task.app, set()) - self.unready - {task.id})
