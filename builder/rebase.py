"""An image onto today's stack: its own layers stay, those below are swapped, nothing is built.

The manifest and the configuration are written anew with other layers below (OCI Image Format; the idea is that of
`rebase` in the Cloud Native Buildpacks specification). Only buildpack images lie on the stack.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from builder.image import Base, Images
from builder.registry import Registry
from builder.stack import known
from builder.stack.plan import EXTRAS_LABEL
from mothership.model import Image


@dataclass(frozen=True)
class Standing:
    """What an image stands on: extras of the stack, and whether the stack is today's."""

    extras: tuple[str, ...]
    current: bool


async def standing(registry: Registry, images: Images, image: Image) -> Standing:
    """What a buildpack image stands on. Raises NotFound, RegistryUnavailable."""
    manifest, config = await _read(registry, image)
    extras = _extras(config)
    base = await images.stack(extras)
    return Standing(extras, _below(manifest, config) == base.manifest["layers"])


async def rebased(registry: Registry, images: Images, image: Image) -> Image:
    """The image on today's stack; itself when it stands there already. Raises NotFound, RegistryUnavailable."""
    manifest, config = await _read(registry, image)
    base = await images.stack(_extras(config))
    below = _below(manifest, config)
    if below == base.manifest["layers"]:
        return image
    await images.mounted(image.repository, base.manifest, base.repository)
    blob = await registry.put_bytes(
        image.repository, json.dumps(_moved(config, len(below), base), sort_keys=True).encode()
    )
    layers = [*base.manifest["layers"], *manifest["layers"][len(below) :]]
    swapped = {
        **manifest,
        "config": {**manifest["config"], "digest": blob.digest, "size": blob.size},
        "layers": layers,
    }
    tag = f"{image.build_id.lower() or 'image'}-on-{blob.digest[7:15]}"
    digest = await registry.put_manifest(image.repository, tag, swapped)
    return replace(image, digest=digest, size=sum(int(layer["size"]) for layer in layers))


async def _read(registry: Registry, image: Image) -> tuple[dict[str, Any], dict[str, Any]]:
    manifest = await registry.manifest(image.repository, image.digest)
    return manifest, await registry.get_json(image.repository, manifest["config"]["digest"])


def _extras(config: Mapping[str, Any]) -> tuple[str, ...]:
    named = str((config["config"].get("Labels") or {}).get(EXTRAS_LABEL, "")).split()
    return tuple(name for name in named if name in known())


def _below(manifest: Mapping[str, Any], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The layers below the launcher's, which is the first of an app's own."""
    count = 0
    for entry in config["history"]:
        if entry.get("created_by") == "launcher":
            break
        count += not entry.get("empty_layer", False)
    return list(manifest["layers"][:count])


def _moved(config: Mapping[str, Any], below: int, base: Base) -> dict[str, Any]:
    diffs = [*base.config["rootfs"]["diff_ids"], *config["rootfs"]["diff_ids"][below:]]
    start = next(n for n, entry in enumerate(config["history"]) if entry.get("created_by") == "launcher")
    return {
        **config,
        "rootfs": {"type": "layers", "diff_ids": diffs},
        "history": [*base.config.get("history", []), *config["history"][start:]],
    }
