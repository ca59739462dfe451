"""Old images go: from the registry, with the blobs that nothing else needs, and from this node's engine."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from builder import Builder, Kept
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import MothershipError
from mothership.log import logger
from mothership.model import Release
from mothership.releases.locks import BuildSlots
from mothership.store import Apps, Releases

log = logger()
PACE = 6 * 3600.0
SERVED = ("current", "superseded")


@dataclass(frozen=True)
class Freed:
    """What a cleaning took away: images with the registry's bytes, and what was kept for builds with its bytes."""

    images: int = 0
    size: int = 0
    apps: tuple[str, ...] = ()
    kept: int = 0


def kept(releases: Iterable[Release], keep: int) -> frozenset[str]:
    """The digests that an app's releases (newest first) still need: the last `keep` that served, and pending ones."""
    found, served = set(), 0
    for release in releases:
        if release.status == "pending" or (release.status in SERVED and served < keep) or release.status == "current":
            found.add(release.image.digest)
        served += release.status in SERVED
    return frozenset(found)


class Cleanup:
    """Takes away what no release needs any more. It never runs beside a build."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        apps: Apps,
        releases: Releases,
        builder: Builder,
        slots: BuildSlots,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._apps = apps
        self._releases = releases
        self._builder = builder
        self._slots = slots
        self._turn = asyncio.Lock()

    async def forever(self) -> None:
        """Clean every six hours."""
        while True:
            await asyncio.sleep(PACE)
            try:
                freed = await self.once()
                log.info("cleaned", images=freed.images, bytes=freed.size, caches=len(freed.apps), kept=freed.kept)
            except MothershipError as error:
                log.warning("cleaning waits", error=error.message)

    async def once(self) -> Freed:
        """Clean now; builds that come meanwhile wait. Raises MothershipError."""
        async with self._turn, self._slots.all():
            needed = {app.name: self._needed(app.name) for app in self._apps.all()}
            images = await self._builder.shelf.discard(needed)
            await self._discard_local(needed)
            size = await self._builder.shelf.compact()
        gone = await self.prune()
        return Freed(images, size, tuple(each.app for each in gone), sum(each.size for each in gone))

    async def prune(self, *, days: float | None = None, only: str = "", dry_run: bool = False) -> list[Kept]:
        """Take away what was kept for builds, older than so many days or beyond the settings; what went."""
        async with self._slots.all():
            return await self._builder.shelf.prune(
                [app.name for app in self._apps.all()],
                days=self._settings.cache_days if days is None else days,
                megabytes=self._settings.cache_size,
                only=only,
                dry_run=dry_run,
            )

    def _needed(self, app: str) -> frozenset[str]:
        return kept(self._releases.list(app, limit=100_000), self._settings.keep_releases)

    async def _discard_local(self, needed: dict[str, frozenset[str]]) -> None:
        """The engine keeps what it pulled; an image that a container uses it keeps in any case."""
        prefix = f"{self._settings.registry}/"
        for image in await self._engine.images({}):
            for name in image.get("RepoDigests") or []:
                repository, _, digest = name.removeprefix(prefix).partition("@")
                if name.startswith(prefix) and digest not in needed.get(repository, frozenset()):
                    try:
                        await self._engine.remove_image(name)
                    except MothershipError as error:
                        log.info("image stays on this node", image=name, error=error.message)
