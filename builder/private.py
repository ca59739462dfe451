"""Private buildpacks: fetched with the app's key before the build, which never sees the key."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from builder.choose import Choice
from builder.fetch import Fetcher, git_address
from builder.packs import Pack
from builder.source import Source
from builder.thread import in_thread
from mothership.output import Output

OVER_SSH = ("ssh://", "git@")


@asynccontextmanager
async def fetched(fetcher: Fetcher, source: Source, choice: Choice, place: Path, out: Output) -> AsyncIterator[Choice]:
    """The choice with its buildpacks over SSH brought into `place`, as packs of git. Raises Refused, BuildFailed."""
    async with AsyncExitStack() as stack:
        packs = [
            await _brought(fetcher, source, pack, place, out, stack) if _is_private(pack) and source.key else pack
            for pack in choice.buildpacks
        ]
        yield replace(choice, buildpacks=tuple(packs))


def _is_private(pack: Pack) -> bool:
    return pack.kind == "git" and ("@" in pack.place.partition("/")[0] or pack.place.startswith(OVER_SSH))


async def _brought(
    fetcher: Fetcher, source: Source, pack: Pack, place: Path, out: Output, stack: AsyncExitStack
) -> Pack:
    address = git_address(pack.place)
    got = await stack.enter_async_context(fetcher.git(source.app, address, out, key=source.key))
    if got.hosts:
        source.met(got.hosts)
    place.mkdir(parents=True, exist_ok=True)
    await in_thread(shutil.copyfile, got.file, place / f"{pack.key}.pack")
    return replace(pack, kind="pack", place=f"/buildpack/{pack.key}.pack#{got.commit}")
