"""scripts/down: stop what Mothership started; with --purge, remove what it made and nothing else."""

import asyncio
import contextlib
import shutil
import subprocess
from pathlib import Path

from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import MothershipError
from mothership.install import buildcache, daemon, machine
from mothership.install.steps import Steps
from mothership.output import Output
from mothership.swarm.plan import INSTANCE

STACK = "mothership.stack"
LINK = Path("/usr/local/bin/mothership")


async def down(settings: Settings, *, purge: bool) -> None:
    """Stop everything; data stays unless `purge`. Other containers, volumes and images are never touched."""
    steps, engine = Steps(), Engine(settings.docker_host)
    with steps.step("Stopping the server"):
        await daemon.stop(settings)
    if await machine.answers(engine):
        await _empty(settings, engine, steps, purge=purge)
    elif purge and machine.has_engine():
        with steps.step("Starting the container engine, to empty it"):
            await machine.start_engine(settings, engine, for_good=False)
        try:
            await _empty(settings, engine, steps, purge=True)
        finally:
            await machine.stop_engine(settings)
    if machine.own_engine(settings):
        with steps.step("Stopping the container engine, which scripts/up started"):
            await machine.stop_engine(settings)
    if purge:
        with steps.step(f"Removing {settings.data}"):
            _purge_files(settings)
    steps.total()
    if not purge:
        print(f"The data is kept in {settings.data}. Start again: scripts/up. Remove it all: scripts/down --purge")


async def _empty(settings: Settings, engine: Engine, steps: Steps, *, purge: bool) -> None:
    with steps.step("Stopping apps"):
        await _stop_apps(settings, engine)
    with steps.step("Stopping the proxy and the registry"):
        await _remove_containers(settings, engine)
    if purge:
        with steps.step("Removing networks and images") as out:
            await _purge_engine(settings, engine, out)


async def _stop_apps(settings: Settings, engine: Engine) -> None:
    mine = {INSTANCE: settings.instance}
    with contextlib.suppress(MothershipError):
        for service in await engine.services(mine):
            await engine.remove_service(service["ID"])
        for _ in range(300):
            if not await engine.tasks(labels=mine, running=True):
                return
            await asyncio.sleep(0.2)


async def _remove_containers(settings: Settings, engine: Engine) -> None:
    found = await engine.containers({INSTANCE: settings.instance})
    await asyncio.gather(*(_remove_container(engine, container["Id"]) for container in found))


async def _remove_container(engine: Engine, container: str) -> None:
    with contextlib.suppress(MothershipError):
        await engine.stop(container, timeout=3)
    await engine.remove(container)


async def _purge_engine(settings: Settings, engine: Engine, out: Output) -> None:
    mine = {INSTANCE: settings.instance}
    for network in await engine.networks(mine):
        await _patiently_remove(engine, str(network["Name"]), out)
    for image in await engine.images({}):
        tags = [*(image.get("RepoTags") or []), *(image.get("RepoDigests") or [])]
        if any(tag.startswith(f"{settings.registry}/") for tag in tags):
            await engine.remove_image(image["Id"], force=True)
    if not await _others(engine):
        for image in await engine.images({STACK: ""}):
            for tag in image.get("RepoTags") or [image["Id"]]:
                await engine.remove_image(tag)
        await buildcache.prune(settings, engine)
    if machine.swarm_mark(settings).exists() and not await engine.services({}):
        await engine.swarm_leave()


async def _others(engine: Engine) -> bool:
    """Whether another installation on this engine needs the stack's images."""
    return bool(await engine.containers({INSTANCE: ""}))


async def _patiently_remove(engine: Engine, network: str, out: Output) -> None:
    """Remove a network once its last tasks are gone; some engines never notice that one is, and need a restart."""
    for _ in range(30):
        try:
            await engine.remove_network(network)
            return
        except MothershipError:
            await asyncio.sleep(0.3)
    out.step(f"The engine keeps the network {network} in use; after its next restart: docker network rm {network}")


def _purge_files(settings: Settings) -> None:
    unit = daemon.unit_path(settings)
    if unit.exists():
        unit.unlink()
        subprocess.run(["systemctl", "daemon-reload"], check=False)
    if LINK.is_symlink() and settings.data in LINK.readlink().parents:
        LINK.unlink()
    shutil.rmtree(settings.data, ignore_errors=True)
