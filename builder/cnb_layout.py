"""Images as folders (OCI Image Layout 1.0): the run image for the lifecycle to build upon, and what it exported.

The lifecycle needs a run image's manifest and configuration only; its layers are in the registry and stay there.
"""

import hashlib
import json
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mothership.errors import BuildFailed

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LARGEST = 4 * 1024 * 1024
"""Bytes of an index, a manifest or a configuration."""


@dataclass(frozen=True)
class Exported:
    """An image that a build left in a folder, by its manifest's digest. `blobs` are the layers that are there."""

    digest: str
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]
    blobs: Mapping[str, Path]


def write_sparse(folder: Path, manifest: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Write an image without its layers."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "blobs" / "sha256").mkdir(parents=True)
    described = _blob(folder, json.dumps(config).encode(), CONFIG)
    layers = [{"mediaType": LAYER, "digest": each["digest"], "size": each["size"]} for each in manifest["layers"]]
    whole = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": layers}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [_blob(folder, json.dumps(whole).encode(), MANIFEST)]}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps(index))


def read_exported(folder: Path) -> Exported:
    """Read what a build left; nothing is followed out of the folder. Raises BuildFailed."""
    try:
        index = json.loads(_file(folder, "index.json"))
        digest = str(index["manifests"][0]["digest"])
        manifest = json.loads(_by_digest(folder, digest))
        config = json.loads(_by_digest(folder, manifest["config"]["digest"]))
        digests = [str(layer["digest"]) for layer in manifest["layers"]]
        if len(digests) != len(config["rootfs"]["diff_ids"]) or not all(map(DIGEST.fullmatch, digests)):
            raise ValueError("its layers are not those that its configuration names")
        config["history"] = list(config.get("history") or [])
        if not isinstance(config["config"], dict) or not {"architecture", "os"} <= set(config):
            raise ValueError("its configuration is not one")
        blobs = {digest: path for digest in digests if (path := _place(folder, _blob_name(digest))) is not None}
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise BuildFailed(
            f"The builder's lifecycle left no usable image: {error}.", "Is it one of buildpacks.io's own?"
        ) from error
    return Exported(digest, manifest, config, blobs)


def prune(folder: Path, exported: Exported) -> None:
    """Remove the blobs of earlier images."""
    wanted = {*exported.blobs, exported.digest, exported.manifest["config"]["digest"]}
    for path in (folder / "blobs" / "sha256").iterdir():
        if f"sha256:{path.name}" not in wanted and not path.is_dir():
            path.unlink()


def _blob(folder: Path, data: bytes, kind: str) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    (folder / _blob_name(digest)).write_bytes(data)
    return {"mediaType": kind, "digest": digest, "size": len(data)}


def _by_digest(folder: Path, digest: object) -> bytes:
    if not DIGEST.fullmatch(str(digest)):
        raise ValueError(f"{str(digest)[:80]!r} is no digest")
    return _file(folder, _blob_name(str(digest)))


def _blob_name(digest: str) -> str:
    return digest.replace("sha256:", "blobs/sha256/")


def _file(folder: Path, name: str) -> bytes:
    path = _place(folder, name)
    if path is None or path.stat().st_size > LARGEST:
        raise ValueError(f"{name} is missing, too large, or no file")
    return path.read_bytes()


def _place(folder: Path, name: str) -> Path | None:
    """A regular file below the folder, None when there is none; the build has ended, and nobody changes it any more."""
    path = folder / name
    if path.resolve() != path or not path.exists() or not stat.S_ISREG(path.lstat().st_mode):
        return None
    return path
