"""Commands that run without anybody waiting for them: logged, ended in time, and taken up again by the next daemon."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from mothership.applogs import AppLogs
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import MothershipError
from mothership.log import logger
from mothership.model import Release
from mothership.swarm import oneoff
from mothership.swarm.plan import APP, INSTANCE, ROLE

log = logger()
DETACHED = "run-detached"
DYNO = "mothership.dyno"


class DetachedRuns:
    """The detached one-off containers of this installation."""

    def __init__(self, settings: Settings, engine: Engine, logs: AppLogs) -> None:
        self._settings = settings
        self._engine = engine
        self._logs = logs
        self._tending: set[asyncio.Task[None]] = set()

    async def start(self, release: Release, command: tuple[str, ...], *, by: str) -> str:
        """Start a command; its name in the log, such as run.1234. Raises EngineError."""
        spec = oneoff.spec(self._settings, release, "run", command, role=DETACHED)
        name = spec.env["DYNO"]
        spec = replace(spec, labels={**spec.labels, DYNO: name}, log_driver="json-file")
        container = await self._engine.create(spec)
        self._logs.of(release.app).note("api", f"Detached {name} started by {by}")
        await self._engine.start(container)
        self._tend(container, release.app, name, self._settings.run_time)
        return name

    async def resume(self) -> None:
        """Take up what an earlier daemon started."""
        for found in await self._engine.containers({INSTANCE: self._settings.instance, ROLE: DETACHED}):
            age = datetime.now(UTC).timestamp() - int(found["Created"])
            labels = found["Labels"]
            self._tend(found["Id"], labels[APP], labels[DYNO], max(0.0, self._settings.run_time - age))

    async def close(self) -> None:
        """Leave what runs to the next daemon."""
        for task in self._tending:
            task.cancel()
        if self._tending:
            await asyncio.wait(self._tending)

    def _tend(self, container: str, app: str, name: str, seconds: float) -> None:
        task = asyncio.create_task(self._see_off(container, app, name, seconds))
        self._tending.add(task)
        task.add_done_callback(self._tending.discard)

    async def _see_off(self, container: str, app: str, name: str, seconds: float) -> None:
        try:
            note = await self._ended(container, app, name, seconds)
            self._logs.of(app).note(name, note)
            await self._engine.remove(container)
        except MothershipError as error:
            log.warning("detached run lost", app=app, run=name, error=error.message)

    async def _ended(self, container: str, app: str, name: str, seconds: float) -> str:
        """Follow a container to its end; how it ended, in words."""
        try:
            async with asyncio.timeout(seconds):
                await self._logs.follow(container, app, name)
                code = await self._engine.wait(container)
        except TimeoutError:
            with suppress(MothershipError):
                await self._engine.stop(container, timeout=10)
            return f"Ended after {self._settings.run_time} seconds"
        return f"Process exited with status {code}"
