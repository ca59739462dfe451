"""An app's image: base layers, the launcher, and the app's own layers, put into the registry."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.layers import Cut, write_single
from builder.registry import CONFIG, LAYER, MANIFEST, Blob, Registry
from builder.service import answering
from builder.stack import launcher, tag
from builder.thread import in_thread
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import NotFound

LAUNCHER = "mothership/launcher"
STACK = "mothership/stack-run"
CREATED = "2020-01-01T00:00:00Z"
"""The same for every image, so that the same layers make the same digest."""


@dataclass(frozen=True)
class Base:
    """An image in the registry that another one is built upon."""

    repository: str
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Stored:
    """An image that is in the registry: its digest, its size and how much of it was new, in bytes."""

    digest: str
    size: int
    moved: int


class Images:
    """Assembles images by manifest; layers that the registry has aren't moved."""

    def __init__(self, settings: Settings, engine: Engine, registry: Registry) -> None:
        self._settings = settings
        self._engine = engine
        self._registry = registry
        self._stacks: dict[str, tuple[Base, str]] = {}
        self._pushing = asyncio.Lock()
        self._launcher: tuple[Blob, Path] | None = None
        self._launching = asyncio.Lock()

    async def stack(self, extras: tuple[str, ...] = ()) -> Base:
        """The run image, pushed into the registry when it isn't there or is another one than the engine has."""
        name = tag(self._settings.stack, extras)
        local = str((await self._engine.image(f"{STACK}:{name}"))["Id"])
        known, of = self._stacks.get(name, (None, ""))
        if known and of == local and await self._registry.has(STACK, _config_digest(known)):
            return known
        async with self._pushing:
            if not await self._has(STACK, name, local):
                await self.pushed(f"{STACK}:{name}", STACK, name)
        manifest = await self._registry.manifest(STACK, name)
        config = await self._registry.get_json(STACK, manifest["config"]["digest"])
        base = Base(STACK, manifest, config)
        self._stacks[name] = base, local
        return base

    async def pushed(self, image: str, repository: str, tag: str) -> dict[str, Any]:
        """Push an image of the engine into the registry; its manifest."""
        name = f"{self._registry.address}/{repository}"
        await answering(self._registry.address)
        await self._engine.tag(image, name, tag)
        await self._engine.push(name, tag)
        await self._engine.remove_image(f"{name}:{tag}")
        return await self._registry.manifest(repository, tag)

    async def put(
        self, repository: str, tag: str, base: Base, cuts: Sequence[Cut], changes: Mapping[str, Any]
    ) -> Stored:
        """Put an image made of the base, the launcher and these layers; `changes` go over the base's config."""
        blob, tar = await self._launcher_layer()
        layers = [Cut("launcher", blob, tar), *cuts]
        moved = 0
        await self._mount(repository, base.manifest["layers"], base.repository)
        there = await asyncio.gather(*(self._registry.has(repository, cut.blob.digest) for cut in layers))
        for cut in (cut for cut, has in zip(layers, there, strict=True) if not has):
            if cut.tar is None:
                raise NotFound(f"The registry lost the layer {cut.part} of {repository}.")
            await self._registry.put_file(repository, cut.blob, cut.tar)
            moved += cut.blob.size
        config = _config(base, layers, changes)
        config_blob = await self._registry.put_bytes(repository, config)
        manifest = _manifest(base, layers, config_blob)
        digest = await self._registry.put_manifest(repository, tag, manifest)
        return Stored(digest, sum(layer["size"] for layer in manifest["layers"]), moved + len(config))

    async def mounted(self, repository: str, manifest: Mapping[str, Any], origin: str) -> None:
        """Have all blobs of a manifest in a repository, from another one of the same registry."""
        await self._mount(repository, [manifest["config"], *manifest["layers"]], origin)

    async def _mount(self, repository: str, blobs: Iterable[Mapping[str, Any]], origin: str) -> None:
        async def mount(digest: str) -> None:
            if await self._registry.has(repository, digest) or await self._registry.mount(repository, digest, origin):
                return
            raise NotFound(f"The registry lost the blob {digest} of {origin}.")

        await asyncio.gather(*(mount(digest) for digest in {blob["digest"] for blob in blobs}))

    async def _launcher_layer(self) -> tuple[Blob, Path]:
        """One for all builds, and so made by one of them: a file that changes while it is uploaded stalls that."""
        async with self._launching:
            binary = await launcher(self._settings, self._engine)
            path = binary.with_suffix(".tar")
            if self._launcher is None or not path.exists() or path.stat().st_mtime < binary.stat().st_mtime:
                self._launcher = (await in_thread(write_single, path, LAUNCHER, binary), path)
            return self._launcher

    async def _has(self, repository: str, tag: str, image: str) -> bool:
        """Whether a tag is an image of the engine, whose id is its config's digest, or what was pushed (containerd)."""
        try:
            manifest = await self._registry.manifest(repository, tag)
            return image in (manifest["config"]["digest"], await self._registry.digest(repository, tag))
        except NotFound:
            return False


def _config_digest(base: Base) -> str:
    return str(base.manifest["config"]["digest"])


def _config(base: Base, layers: Sequence[Cut], changes: Mapping[str, Any]) -> bytes:
    """The image configuration (OCI Image Format, "Image Configuration")."""
    config = {**base.config["config"], **changes}
    diffs = [*base.config["rootfs"]["diff_ids"], *(cut.blob.diff_id for cut in layers)]
    history = [*base.config.get("history", []), *({"created": CREATED, "created_by": cut.part} for cut in layers)]
    whole = {
        "architecture": base.config["architecture"],
        "os": base.config["os"],
        "created": CREATED,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": diffs},
        "history": history,
    }
    return json.dumps(whole, sort_keys=True).encode()


def _manifest(base: Base, layers: Sequence[Cut], config: Blob) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
        "layers": [
            *({**layer, "mediaType": LAYER} for layer in base.manifest["layers"]),
            *({"mediaType": LAYER, "digest": cut.blob.digest, "size": cut.blob.size} for cut in layers),
        ],
    }
