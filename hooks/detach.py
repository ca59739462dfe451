"""Deploys that go on without their pusher: `git push -o detach`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from hooks.recipe import Job, Recipe
from mothership.errors import Conflict, MothershipError
from mothership.log import logger
from mothership.model import RefUpdate
from mothership.output import Output
from mothership.releases import AppLocks
from mothership.releases.locks import SUPERSEDED
from mothership.releases.running import Running
from mothership.repos import Repos
from mothership.store import Builds, Releases

log = logger()


class Detached:
    """The ref moves first here; a deploy that fails puts it back, so that the branch stays what serves."""

    def __init__(
        self, builds: Builds, releases: Releases, repos: Repos, locks: AppLocks, recipe: Recipe, running: Running
    ) -> None:
        self._builds = builds
        self._releases = releases
        self._repos = repos
        self._locks = locks
        self._recipe = recipe
        self._running = running
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def handed_over(self, job: Job, update: RefUpdate, out: Output) -> AsyncIterator[None]:
        """Let the ref move during the block, and deploy after it, in the background."""
        out.step(f"Taken over by the server as build {job.build}.")
        out.detail(f"Follow it: mothership builds:output {job.build} -f")
        out.detail(f"Cancel it: mothership builds:cancel {job.build}")
        self._releases.agree(job.app.name, update, moved=True)
        try:
            yield
        except BaseException:
            self._builds.end(job.build, "cancelled")
            self._releases.settle(job.app.name, update.ref)
            raise
        self._keep(asyncio.create_task(self._deploy(job, update)))

    def take_over(self, job: Job, out: Output, then: Callable[[], Awaitable[None]] | None = None) -> None:
        """Deploy in the background what moves no ref; `then` is called when that has ended, however it did."""
        out.step(f"Taken over by the server as build {job.build}.")
        out.detail(f"Follow it: mothership builds:output {job.build} -f")
        out.detail(f"Cancel it: mothership builds:cancel {job.build}")
        self._keep(asyncio.create_task(self._deploy(job, None, then)))

    def put_back(self, app: str, update: RefUpdate) -> None:
        """Undo a ref's move, unless somebody moved it since."""
        if self._repos.at(app, update.ref, update.new):
            self._repos.set_ref(app, update.ref, update.old)

    async def close(self) -> None:
        """Cancel what is under way."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deploy(
        self, job: Job, update: RefUpdate | None, then: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        name = job.app.name
        try:
            with self._running.entered(job.build):
                await self._in_turn(job, update)
        except MothershipError as error:
            log.info("detached deploy failed", app=name, build=job.build, error=error.message)
        finally:
            if update:
                self._releases.settle(name, update.ref)
            if then:
                await then()

    async def _in_turn(self, job: Job, update: RefUpdate | None) -> None:
        name, begun = job.app.name, False
        try:
            async with self._locks.hold(name, Output(), push=True):
                if update and not self._repos.at(name, update.ref, update.new):
                    raise Conflict(f"{update.ref} of {name} moved meanwhile.", reason=SUPERSEDED)
                begun = True
                try:
                    await self._recipe.deploy(job, Output())
                except BaseException:
                    if update and not self._locks.awaited(name):
                        self.put_back(name, update)
                    raise
        except BaseException as error:
            if not begun:
                self._builds.end(job.build, "superseded" if isinstance(error, Conflict) else "cancelled")
                if update and not isinstance(error, Conflict):
                    self.put_back(name, update)
            raise
