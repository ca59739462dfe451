"""Preview apps: a branch `preview/NAME` serves at `NAME--APP.DOMAIN` until it is deleted or its time is over."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from hooks.pre_receive import preview_name
from hooks.recipe import SHORT, Job, Recipe
from mothership.errors import MothershipError
from mothership.log import logger
from mothership.model import Push, RefUpdate
from mothership.output import Output
from mothership.releases import AppLocks
from mothership.repos import Repos
from mothership.store import App, Apps, Builds

log = logger()
PACE = 60.0


class Previews:
    """Makes, renews and removes preview apps. `forget` takes an app down; `days` is how long one lives unpushed."""

    def __init__(
        self,
        apps: Apps,
        builds: Builds,
        repos: Repos,
        recipe: Recipe,
        locks: AppLocks,
        forget: Callable[[App], Awaitable[None]],
        days: int,
    ) -> None:
        self._apps = apps
        self._builds = builds
        self._repos = repos
        self._recipe = recipe
        self._locks = locks
        self._forget = forget
        self._days = days

    async def receive(self, parent: App, push: Push, update: RefUpdate, out: Output, *, phase: bool) -> None:
        """Do what the push of a preview branch means. The caller holds the parent's lock. Raises MothershipError."""
        name = preview_name(update, parent.name)
        async with self._locks.hold(name, out):
            if update.deletes:
                await self._remove(name, out)
                return
            made = not self._apps.exists(name)
            preview = self._apps.create_preview(name, parent, branch=update.ref.removeprefix("refs/heads/"))
            try:
                await self._deploy(preview, parent, push, update, out, phase=phase)
            except BaseException:
                if made:
                    await asyncio.shield(asyncio.ensure_future(self._discard(preview)))
                raise
            self._apps.expire(preview, datetime.now(UTC) + timedelta(days=self._days))
            out.detail(f"It goes after {self._days} days without a push.")
            out.detail(f"To remove it now: git push mothership :{preview.branch}")

    async def forever(self) -> None:
        """Remove expired previews, every minute."""
        while True:
            for app in self._apps.expired(datetime.now(UTC)):
                try:
                    async with self._locks.hold(app.name, Output()):
                        self._repos.set_ref(app.parent, f"refs/heads/{app.branch}", "")
                        await self._forget(app)
                    log.info("preview expired", app=app.name)
                except MothershipError as error:
                    log.warning("expired preview stays", app=app.name, error=error.message)
            await asyncio.sleep(PACE)

    async def _deploy(
        self, preview: App, parent: App, push: Push, update: RefUpdate, out: Output, *, phase: bool
    ) -> None:
        job = Job(
            app=preview,
            commit=update.new,
            repository=self._repos.path(parent.name),
            user=push.user.name,
            description=f"Preview {update.new[:SHORT]}",
            build=self._builds.begin(preview.name, update.new, push.user.name),
            quarantine=push.quarantine,
            phase=phase,
        )
        await self._recipe.deploy(job, out)

    async def _remove(self, name: str, out: Output) -> None:
        if self._apps.exists(name):
            await self._forget(self._apps.get(name))
            out.step(f"Removed the preview {name}.")

    async def _discard(self, preview: App) -> None:
        """A first push that failed leaves no preview behind."""
        try:
            await self._forget(preview)
        except MothershipError as error:
            log.warning("failed preview stays", app=preview.name, error=error.message)
