"""What builds have made and what they keep: images in the registry, the stack below them, caches on the disk."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace

from builder import stack
from builder.disk import folder_size
from builder.image import STACK, Images
from builder.prune import Kept, kept, remove, too_much
from builder.rebase import Standing, rebased, standing
from builder.registry import Registry
from builder.service import answering, registry_name
from builder.stack.update import update
from builder.thread import in_thread
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import RegistryUnavailable
from mothership.model import Image
from mothership.output import Output


class Shelf:
    """Looks after images that were built. Raises RegistryUnavailable when the registry doesn't answer."""

    def __init__(self, settings: Settings, engine: Engine, registry: Registry, images: Images) -> None:
        self._settings = settings
        self._engine = engine
        self._registry = registry
        self._images = images

    async def has(self, image: Image) -> bool:
        """Whether the registry still has an image, so that any node can run it."""
        return bool(await self._registry.found(image.repository, image.digest))

    async def copy(self, image: Image, repository: str) -> Image:
        """The same image in another app's repository, without moving a layer."""
        manifest = await self._registry.manifest(image.repository, image.digest)
        await self._images.mounted(repository, manifest, image.repository)
        digest = await self._registry.put_manifest(repository, image.build_id.lower() or "promoted", manifest)
        return replace(image, repository=repository, digest=digest)

    async def add_to_stack(self, names: tuple[str, ...], out: Output) -> None:
        """Make the stack's images, and those with these extras, where they are missing. Raises Invalid, BuildFailed."""
        await stack.ensure(self._settings, self._engine, out)
        await stack.ensure_extended(self._settings, self._engine, stack.extras(names), out)

    async def update_stack(self, out: Output) -> dict[str, tuple[str, str]]:
        """Make the stack anew from today's packages; those that changed, with both versions. Raises BuildFailed."""
        return await update(self._settings, self._engine, out)

    async def standing(self, image: Image) -> Standing:
        """What a buildpack image stands on. Raises NotFound, RegistryUnavailable."""
        return await standing(self._registry, self._images, image)

    async def rebased(self, image: Image) -> Image:
        """A buildpack image on today's stack, without a build. Raises NotFound, RegistryUnavailable."""
        return await rebased(self._registry, self._images, image)

    async def discard(self, needed: Mapping[str, frozenset[str]]) -> int:
        """Delete the manifests of app repositories that are not among the needed digests; how many there were."""
        gone = set()
        for repository in await self._registry.repositories():
            if repository == STACK:
                continue
            wanted = needed.get(repository, frozenset())
            for tag in await self._registry.tags(repository):
                digest = await self._registry.found(repository, tag)
                if digest and digest not in wanted:
                    await self._registry.delete(repository, digest)
                    gone.add((repository, digest))
        return len(gone)

    async def compact(self) -> int:
        """Have the registry delete blobs that no manifest needs; the bytes that were freed. Not beside a build."""
        storage = self._settings.data / "registry"
        before = await in_thread(folder_size, storage)
        name = registry_name(self._settings)
        run, stream = await self._engine.exec(name, ("docker-registry", "garbage-collect", "/registry.yml"))
        async for _ in stream.lines():
            pass
        stream.close()
        if await self._engine.exec_code(run):
            raise RegistryUnavailable("The image registry could not delete what it doesn't need any more.")
        # It remembers which blobs it has; only a new process forgets those that are gone.
        await self._engine.stop(name, timeout=5)
        await self._engine.start(name)
        await answering(self._settings.registry)
        return before - await in_thread(folder_size, storage)

    async def prune(
        self, apps: Iterable[str], *, days: float, megabytes: float, only: str = "", dry_run: bool = False
    ) -> list[Kept]:
        """Take away what is kept for the next builds, by age and size; what went. Not beside a build."""
        found = [each for each in await in_thread(kept, self._settings.data) if only in ("", each.app)]
        gone = too_much(found, frozenset(apps), days=days, megabytes=megabytes)
        if not dry_run:
            await in_thread(remove, self._settings.data, gone)
        return gone

    async def forget(self, app: str) -> None:
        """Remove a destroyed app's workspace, cache and images."""
        for kind in ("workspaces", "cache", "builds"):
            await in_thread(shutil.rmtree, self._settings.data / kind / app, ignore_errors=True)
        await in_thread(
            shutil.rmtree,
            self._settings.data / "registry/docker/registry/v2/repositories" / app,
            ignore_errors=True,
        )
