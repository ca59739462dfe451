"""Finds a docker command line that can build with BuildKit."""

import asyncio
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from mothership.config import Settings
from mothership.errors import EngineUnavailable

BUNDLED_UNTIL = 23
"""From this version on, the docker command builds with BuildKit only through its buildx plugin."""

_found: list[str] = []


async def docker_cli() -> str:
    """The path of a docker command that can build with BuildKit. Raises EngineUnavailable."""
    if not _found:
        _found.append(await first_that_builds(candidates(os.environ.get("PATH", os.defpath))))
    return _found[0]


async def first_that_builds(paths: list[str]) -> str:
    """The first of these docker commands that has a working buildx, or is old enough to have BuildKit inside."""
    for path in paths:
        if await _can_build(path):
            return path
    raise EngineUnavailable(
        "No docker command on this machine can build images with BuildKit.",
        "Install one: apt-get install docker.io (and docker-buildx where that is a package of its own).",
    )


def candidates(path: str) -> list[str]:
    """Every docker command on a PATH, the distribution's own also when the PATH hides it."""
    found = [shutil.which("docker", path=entry) for entry in [*path.split(os.pathsep), "/usr/bin"] if entry]
    return list(dict.fromkeys(str(Path(command)) for command in found if command))


def docker_environment(settings: Settings) -> Mapping[str, str]:
    """The environment of a docker command: this one's, the settings' proxies, and the settings' engine.

    Images are made without attestations: nobody reads them, and they would make an index of every image.
    """
    proxies = {k: v for k, v in settings.build_env.items() if k.lower() in PROXIES}
    build = {"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    return {**os.environ, **proxies, **build, "DOCKER_HOST": settings.docker_host}


def proxy_arguments(names: Iterable[str]) -> tuple[str, ...]:
    """`--build-arg` for those that are proxies: predefined arguments, so they stay out of the image's history."""
    return tuple(word for name in sorted(names) if name.lower() in PROXIES for word in ("--build-arg", name))


PROXIES = frozenset({"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"})


async def _can_build(docker: str) -> bool:
    if await _output(docker, "buildx", "version") is not None:
        return True
    version = re.search(r"version (\d+)\.", await _output(docker, "--version") or "")
    return version is not None and int(version[1]) < BUNDLED_UNTIL


async def _output(*argv: str) -> str | None:
    """What a command printed, None when it failed."""
    child = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    printed, _ = await child.communicate()
    return printed.decode(errors="replace") if child.returncode == 0 else None
