"""The containers that builds lean on: the registry, and the network namespace that builds share."""

import asyncio
from pathlib import Path

import aiohttp

from builder.credential import credential, htpasswd
from mothership.config import Settings
from mothership.engine import Bind, ContainerSpec
from mothership.errors import RegistryUnavailable

CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: /registry}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: mothership, path: /registry.htpasswd}}}}
"""


def registry_name(settings: Settings) -> str:
    return f"{settings.instance}-registry"


def network_name(settings: Settings) -> str:
    return f"{settings.instance}-build-net"


def config_path(settings: Settings) -> Path:
    return settings.data / "registry.yml"


def write_config(settings: Settings) -> None:
    """Write the registry's own configuration (distribution, "Configuring a registry"), and whom it lets in."""
    credential(settings.data)
    (settings.data / "registry").mkdir(parents=True, exist_ok=True)
    text = CONFIG.format(port=settings.registry_port)
    if not config_path(settings).exists() or config_path(settings).read_text() != text:
        config_path(settings).write_text(text)


def registry_spec(settings: Settings) -> ContainerSpec:
    """Debian's docker-registry, its storage in the data directory.

    On the host's own loopback, and with a password: builds and apps could read each other's images else, over a
    network or through the engine.
    """
    return ContainerSpec(
        image=f"mothership/platform:{settings.stack}",
        entrypoint=("docker-registry",),
        command=("serve", "/registry.yml"),
        user="0:0",
        labels={"mothership.instance": settings.instance, "mothership.role": "registry"},
        binds=(
            Bind(str(settings.data / "registry"), "/registry"),
            Bind(str(config_path(settings)), "/registry.yml", True),
            Bind(str(htpasswd(settings.data)), "/registry.htpasswd", True),
        ),
        network="host",
        restart="always",
        cap_drop=("ALL",),
        cap_add=("DAC_OVERRIDE",),
        log_driver="json-file",
        log_options={"max-size": "10m", "max-file": "2"},
    )


def network_spec(settings: Settings) -> ContainerSpec:
    """A process that does nothing but hold a network namespace; joining one is quicker than making one."""
    return ContainerSpec(
        image=f"mothership/stack-run:{settings.stack}",
        entrypoint=("sleep", "infinity"),
        labels={"mothership.instance": settings.instance, "mothership.role": "build-net"},
        restart="always",
        cap_drop=("ALL",),
        stop_timeout=1,
    )


async def answering(address: str, *, seconds: float = 15) -> None:
    """Wait until the registry answers. Raises RegistryUnavailable."""
    deadline = asyncio.get_running_loop().time() + seconds
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while True:
            try:
                async with session.get(f"http://{address}/v2/") as answer:
                    if answer.status in (200, 401):
                        return
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                pass
            if asyncio.get_running_loop().time() > deadline:
                raise RegistryUnavailable(f"The image registry at {address} does not answer.")
            await asyncio.sleep(0.05)
