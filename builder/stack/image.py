"""Builds the stack's images, each only when it is missing or made from other inputs than today's."""

import asyncio
import contextlib
import fcntl
import os
import re
import shlex
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from builder.cli import docker_cli, docker_environment, proxy_arguments
from builder.stack.debian import make_base
from builder.stack.extras import extended
from builder.stack.plan import INPUTS_LABEL, PARENT_LABEL, ROOT, StackImage, plan
from builder.stack.process import run
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import NotFound
from mothership.output import Output

HOST_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
LOCK = Path("/run/lock/mothership-stack.lock")
Make = Callable[[Settings, Engine, StackImage, Output], Awaitable[None]]
NOISE = re.compile(r"DONE |CACHED|sha256:|------|ERROR: executor|executor failed| > \[|$")
REMEDY = "Check that this machine reaches its package mirrors and registries, then run the command again."


async def ensure(settings: Settings, engine: Engine, out: Output) -> None:
    """Make the engine hold the run, build and platform images, up to date with their inputs. Raises BuildFailed.

    Nothing to do costs milliseconds; from nothing it takes one to three minutes, most of it downloads.
    """
    base, *rest = plan(settings.stack)
    if not await _outdated(engine, rest):
        return
    async with _alone():
        images = await _outdated(engine, rest)
        if any(image.parent == base.name for image in images) and await _outdated(engine, [base]):
            await _timed(out, base, _import_base, settings, engine)
        for image in images:
            await _timed(out, image, _build, settings, engine)


async def ensure_extended(settings: Settings, engine: Engine, names: tuple[str, ...], out: Output) -> None:
    """Make the engine hold the run and build images with these extras, on top of today's. Raises BuildFailed."""
    images = list(extended(settings.stack, names))
    if not names or not await _outdated(engine, images):
        return
    out.step(f"Adding {', '.join(names)} to the stack, once for all apps of this server")
    async with _alone():
        for image in await _outdated(engine, images):
            await _timed(out, image, _build, settings, engine)


async def remade(settings: Settings, engine: Engine, images: Iterable[StackImage], out: Output) -> None:
    """Make images from today's packages, whatever there is; in this order. Raises BuildFailed."""
    async with _alone():
        for image in images:
            await _timed(out, image, _build_anew if image.parent else _import_base, settings, engine)


async def _outdated(engine: Engine, images: list[StackImage]) -> list[StackImage]:
    return [image for image in images if not await _made(engine, image)]


async def _made(engine: Engine, image: StackImage) -> bool:
    """Whether the engine has the image, made from these inputs; one with extras, on top of today's image, too."""
    try:
        labels = (await engine.image(image.name))["Config"].get("Labels") or {}
        if labels.get(INPUTS_LABEL) != image.inputs:
            return False
        return image.kind != "extras" or labels.get(PARENT_LABEL) == await _parent(engine, image)
    except NotFound:
        return False


async def _parent(engine: Engine, image: StackImage) -> str:
    return str((await engine.image(image.parent))["Id"])


@contextlib.asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Let one process at a time build the stack: its images are shared by everything on this engine."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _locked(lock):  # noqa: ASYNC110 – a file lock has no event to wait for
            await asyncio.sleep(0.2)
        yield
    finally:
        os.close(lock)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _timed(out: Output, image: StackImage, make: Make, settings: Settings, engine: Engine) -> None:
    out.step(f"Making the {image.purpose}")
    started = time.monotonic()
    await make(settings, engine, image, out)
    out.detail(f"Done in {time.monotonic() - started:.0f} s")


async def _import_base(settings: Settings, engine: Engine, image: StackImage, out: Output) -> None:
    with _scratch(settings) as scratch:
        tar = scratch / "base.tar"
        out.detail("Fetching and unpacking Debian's essential packages")
        await make_base(settings, tar)
        repository, _, tag = image.name.rpartition(":")
        changes = tuple(f'LABEL "{key}"="{value}"' for key, value in image.labels(settings.stack).items())
        await engine.import_image(tar, repository, tag, ('CMD ["/bin/bash"]', *changes))


async def _build_anew(settings: Settings, engine: Engine, image: StackImage, out: Output) -> None:
    await _build(settings, engine, image, out, "--no-cache")


async def _build(settings: Settings, engine: Engine, image: StackImage, out: Output, *words: str) -> None:
    if image.kind == "extras":
        words = (*words, f"--label={PARENT_LABEL}={await _parent(engine, image)}")
    with _scratch(settings) as scratch:
        environment = scratch / "env"
        environment.touch(mode=0o600)
        environment.write_text("".join(f"export {k}={shlex.quote(v)}\n" for k, v in settings.build_env.items()))
        bundle = Path(settings.ca_bundle) if settings.ca_bundle else HOST_BUNDLE
        secrets = {"env": environment} | ({"ca": bundle} if bundle.exists() else {})
        argv = [await docker_cli(), *build_command(image, settings, secrets, *words)]
        env = docker_environment(settings)
        what = f"Making the {image.purpose}"
        await run(argv, env=env, what=what, remedy=REMEDY, on_line=_progress(out))


def build_command(image: StackImage, settings: Settings, secrets: dict[str, Path], *more: str) -> tuple[str, ...]:
    """The docker arguments that build one image. Secrets reach the build's steps and stay out of its layers."""
    words = ["build", "--progress=plain", f"--tag={image.name}", f"--file={image.dockerfile}"]
    words += [f"--secret=id={name},src={path}" for name, path in secrets.items()]
    words += [f"--label={key}={value}" for key, value in image.labels(settings.stack).items()]
    words += [f"--build-arg=FROM={image.parent}"]
    words += [f"--build-arg={key}={value}" for key, value in image.arguments.items()]
    return (*words, *more, *proxy_arguments(settings.build_env), str(ROOT))


def _progress(out: Output) -> Callable[[str], str]:
    """Show the steps that announce themselves with `:::`; strip BuildKit's own words from what errors quote."""

    def on_line(line: str) -> str:
        text = re.sub(r"^#\d+ (\d+\.\d+ )?", "", line)
        if text.startswith("::: "):
            out.detail(text.removeprefix("::: "))
        return "" if NOISE.match(text) else text

    return on_line


@contextlib.contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    root = settings.data / "stack"
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix="making-") as scratch:
        yield Path(scratch)
