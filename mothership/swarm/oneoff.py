"""One-off containers of a release: a command beside its processes, with the same image, config and limits."""

import random
from collections.abc import Mapping

from mothership.config import Settings
from mothership.engine import ContainerSpec, Engine
from mothership.model import Image, Limits, Release
from mothership.swarm.plan import APP, DROPPED, INSTANCE, PROCESS, RELEASE, ROLE, environment

CNB_LAUNCHER = "/cnb/lifecycle/launcher"
"""Sets the environment that Cloud Native Buildpacks made, then runs a shell line, or after `--` words as they are."""

MEMORY = 1024
"""MiB, where the app set no limits for the kind."""


def spec(
    settings: Settings,
    release: Release,
    kind: str,
    command: tuple[str, ...],
    *,
    env: Mapping[str, str] | None = None,
    role: str = "run",
) -> ContainerSpec:
    """The container of a one-off; `kind` is run, release, predeploy or postdeploy.

    One of the role "run" is swept away by the next daemon; a detached one lives on.
    """
    dyno = f"{kind}.{random.randint(1000, 9999)}"
    limits = release.limits.get(kind, Limits(memory=MEMORY))
    return ContainerSpec(
        image=release.image.reference(settings.registry),
        command=command,
        env=environment(release, kind, dyno=dyno) | {"MOTHERSHIP_DRAIN": "0"} | dict(env or {}),
        labels={
            INSTANCE: settings.instance,
            APP: release.app,
            PROCESS: kind,
            RELEASE: str(release.version),
            ROLE: role,
        },
        hostname=f"{release.app}-{dyno.replace('.', '-')}"[:63],
        network=settings.network,
        memory=limits.memory,
        cpu=limits.cpu,
        pids=limits.pids,
        cap_drop=DROPPED,
    )


def shell(image: Image, line: str) -> tuple[str, ...]:
    """The launcher's arguments for a shell command line."""
    if image.kind == "cnb":
        return ("exec", line) if line in image.processes.values() else ("exec", CNB_LAUNCHER, line)
    return ("app" if image.kind == "buildpack" else "sh", line)


def words(image: Image, argv: tuple[str, ...]) -> tuple[str, ...]:
    """The launcher's arguments for a command that is in words already."""
    if image.kind == "cnb":
        return ("exec", CNB_LAUNCHER, "--", *argv)
    return ("apprun" if image.kind == "buildpack" else "exec", *argv)


async def fetch(settings: Settings, engine: Engine, image: Image) -> None:
    """Have the image on this node. Raises EngineError when the registry has lost it."""
    reference = image.reference(settings.registry)
    if not await engine.has_image(reference):
        await engine.pull(reference)
