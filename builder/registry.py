"""The image registry: blobs and manifests (OCI Distribution Specification 1.1)."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiohttp

from builder.credential import Credential
from builder.disk import disk_full
from builder.service import answering
from mothership.errors import BuildFailed, NotFound, RegistryUnavailable

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
"""The layer type that every engine takes; whether a layer is packed, it tells from the bytes."""

ACCEPTED = ", ".join(
    (
        MANIFEST,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    )
)
"""Engines with containerd's image store push OCI manifests, and an index for an image with attestations."""

PAGE = 100
SILENCE = 60.0
"""Seconds that the registry may say nothing while it is waited for."""

P = ParamSpec("P")
T = TypeVar("T")
Call = Callable[Concatenate["Registry", P], Coroutine[Any, Any, T]]


def again(call: "Call[P, T]") -> "Call[P, T]":
    """Call once more when the registry went away meanwhile and is back within seconds; to do it twice is no harm."""

    @wraps(call)
    async def tried(registry: "Registry", /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await call(registry, *args, **kwargs)
        except RegistryUnavailable:
            await answering(registry.address)
            return await call(registry, *args, **kwargs)

    return tried


@dataclass(frozen=True)
class Blob:
    """A blob by digest and size in bytes; `diff_id` is the digest of the unpacked layer."""

    digest: str
    size: int
    diff_id: str = ""


class Registry:
    """A registry at host:port, over plain HTTP on loopback. Raises RegistryUnavailable."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._base = f"http://{address}/v2"
        self._login: aiohttp.BasicAuth | None = None

    def login(self, known: Credential) -> None:
        """Be known to the registry from now on."""
        self._login = aiohttp.BasicAuth(known.user, known.password)

    @again
    async def has(self, repository: str, digest: str) -> bool:
        """Whether a repository holds a blob."""
        async with self._call("HEAD", f"/{repository}/blobs/{digest}") as answer:
            return answer.status == 200

    @again
    async def mount(self, repository: str, digest: str, origin: str) -> bool:
        """Take a blob over from another repository without moving a byte; whether that worked."""
        async with self._call("POST", f"/{repository}/blobs/uploads/?mount={digest}&from={origin}") as answer:
            return answer.status == 201

    @again
    async def put_file(self, repository: str, blob: Blob, path: Path) -> None:
        """Upload a file as a blob."""
        async with self._call("POST", f"/{repository}/blobs/uploads/") as answer:
            await _checked(answer, 202)
            where = answer.headers["Location"]
        joint = "&" if "?" in where else "?"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        with path.open("rb") as file:
            async with self._call("PUT", f"{where}{joint}digest={blob.digest}", data=file, headers=headers) as answer:
                await _checked(answer, 201)

    @again
    async def put_bytes(self, repository: str, data: bytes) -> Blob:
        """Upload bytes as a blob, unless they are there already."""
        blob = Blob(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))
        if not await self.has(repository, blob.digest):
            async with self._call("POST", f"/{repository}/blobs/uploads/") as answer:
                await _checked(answer, 202)
                where = answer.headers["Location"]
            joint = "&" if "?" in where else "?"
            async with self._call("PUT", f"{where}{joint}digest={blob.digest}", data=data) as answer:
                await _checked(answer, 201)
        return blob

    @again
    async def get_json(self, repository: str, digest: str) -> dict[str, Any]:
        """A blob that is JSON, such as an image's configuration."""
        async with self._call("GET", f"/{repository}/blobs/{digest}") as answer:
            await _checked(answer, 200)
            return dict(json.loads(await answer.read()))

    async def manifest(self, repository: str, reference: str) -> dict[str, Any]:
        """An image's manifest by tag or digest, out of its index if it has one. Raises NotFound."""
        found = json.loads(await self._manifest(repository, reference))
        if "manifests" in found:
            found = json.loads(await self._manifest(repository, image_in(found)))
        return dict(found)

    async def digest(self, repository: str, reference: str) -> str:
        """The digest of what a tag names, a manifest or an index. Raises NotFound."""
        return f"sha256:{hashlib.sha256(await self._manifest(repository, reference)).hexdigest()}"

    @again
    async def _manifest(self, repository: str, reference: str) -> bytes:
        async with self._call("GET", f"/{repository}/manifests/{reference}", headers={"Accept": ACCEPTED}) as answer:
            if answer.status == 404:
                raise NotFound(f"The registry has no image {repository}:{reference}.")
            await _checked(answer, 200)
            return await answer.read()

    @again
    async def put_manifest(self, repository: str, reference: str, manifest: dict[str, Any]) -> str:
        """Store a manifest under a tag; its digest."""
        data = json.dumps(manifest, sort_keys=True).encode()
        headers = {"Content-Type": MANIFEST}
        async with self._call("PUT", f"/{repository}/manifests/{reference}", data=data, headers=headers) as answer:
            await _checked(answer, 201)
            return f"sha256:{hashlib.sha256(data).hexdigest()}"

    @again
    async def repositories(self) -> list[str]:
        """Every repository there is."""
        found: list[str] = []
        while True:
            last = f"&last={found[-1]}" if found else ""
            async with self._call("GET", f"/_catalog?n={PAGE}{last}") as answer:
                await _checked(answer, 200)
                page = list((await answer.json(content_type=None))["repositories"] or [])
            found += page
            if len(page) < PAGE:
                return found

    @again
    async def tags(self, repository: str) -> list[str]:
        """A repository's tags."""
        async with self._call("GET", f"/{repository}/tags/list") as answer:
            if answer.status == 404:
                return []
            await _checked(answer, 200)
            return list((await answer.json(content_type=None))["tags"] or [])

    @again
    async def found(self, repository: str, reference: str) -> str:
        """The digest a tag stands for, "" when there is none."""
        headers = {"Accept": ACCEPTED}
        async with self._call("HEAD", f"/{repository}/manifests/{reference}", headers=headers) as answer:
            return answer.headers.get("Docker-Content-Digest", "")

    @again
    async def delete(self, repository: str, digest: str) -> None:
        """Delete a manifest; an absent one is fine."""
        async with self._call("DELETE", f"/{repository}/manifests/{digest}"):
            pass

    @asynccontextmanager
    async def _call(self, method: str, where: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        url = where if where.startswith("http") else self._base + where
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, auth=self._login) as session,
                session.request(method, url, **options) as answer,
            ):
                yield answer
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise RegistryUnavailable(
                f"The image registry at {self.address} does not answer.",
                "It is started again within seconds; then push again.",
            ) from error


def image_in(index: Mapping[str, Any]) -> str:
    """The digest of the one image in an index of one platform; attestations are of an unknown one."""
    return str(next(m["digest"] for m in index["manifests"] if m["platform"]["architecture"] != "unknown"))


async def _checked(answer: aiohttp.ClientResponse, status: int) -> None:
    if answer.status == status:
        return
    text = (await answer.text())[:500]
    if "no space left" in text:
        raise disk_full(Path("registry"))
    raise BuildFailed(f"The image registry refused: {answer.status} {text}")
