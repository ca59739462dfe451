"""Keeps a copy of the launcher on the host, where layers are cut."""

import asyncio
import io
import tarfile
from pathlib import Path
from typing import Any

from builder.stack.plan import build_image
from mothership.config import Settings
from mothership.engine import ContainerSpec, Engine

INSIDE = "/opt/mothership/launcher"


async def launcher(settings: Settings, engine: Engine) -> Path:
    """The launcher's path on the host, copied out of the build image when that is another one than last time."""
    path = settings.data / "stack" / "launcher"
    stamp = path.with_name("launcher.image")
    image = str((await engine.image(build_image(settings.stack)))["Id"])
    if not (path.exists() and stamp.exists() and stamp.read_text() == image):
        binary = await _copy_out(settings, engine, image)
        await asyncio.to_thread(_write, path, binary)
        stamp.write_text(image)
    return path


async def _copy_out(settings: Settings, engine: Engine, image: str) -> bytes:
    spec = ContainerSpec(image=image, command=("true",), labels={"mothership.instance": settings.instance})
    async with engine.container(spec) as container:
        archive = await engine.call(lambda api: _archive(api, container))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.extractfile(Path(INSIDE).name)
        assert member
        return member.read()


def _archive(api: Any, container: str) -> bytes:
    chunks, _ = api.get_archive(container, INSIDE)
    return b"".join(chunks)


def _write(path: Path, binary: bytes) -> None:
    """Put it in place whole: a half-written launcher would end up in images."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.write_bytes(binary)
    scratch.chmod(0o755)
    scratch.rename(path)
