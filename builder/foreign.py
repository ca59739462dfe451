"""Images that were built elsewhere: pulled by the engine, and stored with our launcher as a Dockerfile's image is."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from builder import addresses
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import BuildFailed, EngineUnavailable, Invalid, MothershipError, NotFound, Refused, TooLarge
from mothership.output import Output

HUB = "docker.io"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
DOMAIN = rf"(?:{LABEL}(?:\.{LABEL})*|\[[0-9a-fA-F:]+\])(?::\d{{1,5}})?"
PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REFERENCE = re.compile(
    rf"(?:(?P<domain>{DOMAIN})/)?(?P<path>{PART}(?:/{PART})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
"""An image's name (distribution, "reference" grammar)."""

PATH = re.compile(rf"{PART}(?:/{PART})*")
SECONDS = 900
MEGA = 1024 * 1024
TRIES = 3


@dataclass(frozen=True)
class Reference:
    """An image's name in full; `host` is its registry, `docker.io` where it has none."""

    host: str
    path: str
    tag: str
    digest: str

    @property
    def repository(self) -> str:
        return f"{self.host}/{self.path}"

    @property
    def whole(self) -> str:
        return f"{self.repository}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


def reference(text: str) -> Reference:
    """Parse an image's name. Raises Invalid."""
    match = REFERENCE.fullmatch(text) if len(text) < 400 else None
    host, path = (match["domain"] or "", match["path"]) if match else ("", "")
    if host and not ("." in host or ":" in host or host == "localhost"):
        host, path = "", f"{host}/{path}"
    if not match or not PATH.fullmatch(path):
        raise Invalid(f"{text[:80]!r} is not an image's name.", "Such as: nginx:1.27 or ghcr.io/owner/app:v3")
    if host in ("", "index.docker.io"):
        host, path = HUB, path if "/" in path else f"library/{path}"
    return Reference(host, path, match["tag"] or "latest", match["digest"] or "")


class ForeignImages:
    """Pulls by digest: no local name moves, so that nobody's pull changes what others build upon."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    @asynccontextmanager
    async def pulled(
        self, name: Reference, tag: str, login: Mapping[str, str], out: Output
    ) -> AsyncIterator[dict[str, Any]]:
        """Have the image under a tag of ours in the engine for the length of the block; what the engine says of it.

        Raises Refused, NotFound, BuildFailed.
        """
        await self._allow(name)
        out.step(f"Pulling {name.whole}")
        digest = name.digest or await self._digest(name, login)
        pinned = f"{name.repository}@{digest}"
        try:
            await self._tagged(pinned, tag, login)
            out.detail(f"Digest: {digest}")
            found = await self._engine.image(tag)
            self._fits(name, found)
            yield found
        finally:
            await asyncio.shield(self._tidied(pinned, tag))

    async def _allow(self, name: Reference) -> None:
        host, _, port = name.host.rpartition(":") if re.search(r":\d+$", name.host) else (name.host, "", "")
        if port == str(self._settings.registry_port):
            raise Refused(
                f"{name.host} has the port of this server's own registry; nothing is taken from there.",
                "To deploy another app's image: pipelines:promote",
                reason="internal address",
            )
        await addresses.allow(host, self._settings.internal_hosts)

    async def _digest(self, name: Reference, login: Mapping[str, str]) -> str:
        try:
            async with asyncio.timeout(60):
                return await self._engine.remote_digest(name.whole, login)
        except (MothershipError, TimeoutError) as error:
            raise _explained(name, error) from error

    async def _tagged(self, pinned: str, tag: str, login: Mapping[str, str]) -> None:
        """Pull and tag; beside another deploy of the same image the digest's own name may go in between."""
        for attempt in range(TRIES):
            try:
                async with asyncio.timeout(SECONDS):
                    await self._engine.pull(pinned, login, most=self._settings.build_disk * MEGA)
                await self._engine.tag(pinned, *tag.rsplit(":", 1))
                return
            except NotFound as error:
                if attempt == TRIES - 1:
                    raise _explained(reference(pinned), error) from error
            except TooLarge as error:
                raise self._too_large(pinned) from error
            except (MothershipError, TimeoutError) as error:
                raise _explained(reference(pinned), error) from error

    async def _tidied(self, pinned: str, tag: str) -> None:
        for name in (tag, pinned):
            await self._engine.remove_image(name)

    def _fits(self, name: Reference, found: Mapping[str, Any]) -> None:
        if found.get("Os") != "linux":
            raise BuildFailed(f"{name.whole} is for {found.get('Os')}, not for Linux.", reason="wrong platform")
        if int(found.get("Size") or 0) > self._settings.build_disk * MEGA:
            raise self._too_large(name.whole)

    def _too_large(self, name: str) -> BuildFailed:
        return BuildFailed(
            f"{name} is larger than {self._settings.build_disk} MB.",
            "An admin can raise build_disk in mothership.toml.",
            reason="image too large",
        )


def _explained(name: Reference, error: Exception) -> Exception:
    if isinstance(error, EngineUnavailable):
        return error
    said = error.message if isinstance(error, MothershipError) else "it takes too long"
    return BuildFailed(
        f"{name.whole} could not be pulled: {said[:300]}",
        f"Check the name. For a private image: registries:add APP {name.host} USER",
        reason="image could not be pulled",
    )
