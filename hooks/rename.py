"""An app gets another name: its history, source and domains go with it, and no request is lost."""

from pathlib import Path

from builder import Builder
from mothership.applogs import AppLogs
from mothership.config import Settings
from mothership.errors import Conflict
from mothership.log import logger
from mothership.model import app_name
from mothership.output import Output
from mothership.releases import Order, Shipper
from mothership.repos import Repos
from mothership.store import App, Apps, Releases
from mothership.swarm.cluster import Cluster, Service
from router import Router

log = logger()
FOLDERS = ("workspaces", "cache", "builds")


class Renaming:
    """Renames by a release under the new name beside the one under the old."""

    def __init__(
        self,
        settings: Settings,
        apps: Apps,
        releases: Releases,
        repos: Repos,
        builder: Builder,
        cluster: Cluster,
        router: Router,
        shipper: Shipper,
        logs: AppLogs,
    ) -> None:
        self._settings = settings
        self._apps = apps
        self._releases = releases
        self._repos = repos
        self._builder = builder
        self._cluster = cluster
        self._router = router
        self._shipper = shipper
        self._logs = logs

    async def rename(self, app: App, name: str, user: str, out: Output) -> App:
        """Give the app another name. The caller holds both names' locks. Raises Invalid, Conflict, ReleaseFailed."""
        self._refuse(app, name)
        await self._copy(app.name, name)
        services = await self._services(app.name)
        self._move(app, name, services)
        try:
            await self._logs.rename(app.name, name)
            await self._router.rename(app.name, name)
            await self._ship(self._apps.get(name), app.name, user, out)
        except BaseException:
            self._move(self._apps.get(name), app.name, services)
            await self._logs.rename(name, app.name)
            await self._router.rename(name, app.name)
            await self._router.set_hosts(app.name, self._apps.hosts(app, self._settings.domain))
            await self._repos.delete(name)
            raise
        await self._tidy(app.name, name, services)
        return self._apps.get(name)

    def _refuse(self, app: App, name: str) -> None:
        app_name(name)
        if self._apps.exists(name):
            raise Conflict(f"There is already an app {name!r}.", "Choose another name.")
        if app.parent or self._apps.previews(app.name):
            raise Conflict(f"{app.name} is or has a preview, which carries its name.", "Remove the previews first.")

    async def _copy(self, old: str, new: str) -> None:
        """Have the source and the images under the new name too; nothing under the old one changes."""
        await self._repos.copy(old, new)
        for release in self._releases.list(old, limit=self._settings.keep_releases):
            if release.image.repository == old and await self._builder.shelf.has(release.image):
                await self._builder.shelf.copy(release.image, new)

    async def _ship(self, app: App, old: str, user: str, out: Output) -> None:
        current = self._releases.current(app.name)
        if current is None:
            return
        text = f"Rename from {old}"
        config = self._apps.config(app)
        await self._shipper.ship(Order(app, current.image, config, current.commit, user, text, phase=False), out)
        await self._router.set_hosts(app.name, self._apps.hosts(app, self._settings.domain))

    async def _services(self, app: str) -> list[Service]:
        return [each for each in await self._cluster.services() if self._shipper.retirement.owners.of(each) == app]

    def _move(self, app: App, name: str, services: list[Service]) -> None:
        """The name and the services in one step: upkeep removes what belongs to no app."""
        self._apps.rename(app, name)
        self._shipper.retirement.owners.move(services, name)

    async def _tidy(self, old: str, new: str, services: list[Service]) -> None:
        """What carries the old name goes; its services leave as those of any earlier release do."""
        for service in services:
            self._shipper.retirement.retire(service)
        for folder in FOLDERS:
            _move(self._settings.data / folder, old, new)
        await self._repos.delete(old)


def _move(folder: Path, old: str, new: str) -> None:
    try:
        (folder / old).rename(folder / new)
    except OSError as error:
        log.info("left behind by a rename", path=str(folder / old), error=str(error))
