"""The overlay that routed processes, the proxy and one-off containers share."""

import ipaddress
import zlib
from collections.abc import Iterable

from mothership.config import Settings
from mothership.engine import Engine, EngineError
from mothership.errors import Conflict, NotFound
from mothership.swarm.plan import INSTANCE

CANDIDATES = tuple(f"10.{second}.0.0/16" for second in range(100, 250))


def candidates(instance: str) -> tuple[str, ...]:
    """Subnets to try; each instance begins at another, since Swarm notices an overlap only after the answer."""
    first = zlib.crc32(instance.encode()) % len(CANDIDATES)
    return CANDIDATES[first:] + CANDIDATES[:first]


async def ensure_network(settings: Settings, engine: Engine) -> None:
    """Make the instance's overlay when it is missing, with room for 65,000 addresses. Raises EngineError."""
    try:
        await engine.network(settings.network)
        return
    except NotFound:
        pass
    taken = await subnets(engine)
    for subnet in free(candidates(settings.instance), taken):
        try:
            await engine.create_overlay(settings.network, {INSTANCE: settings.instance}, subnet)
            return
        except Conflict:
            return
        except EngineError as error:
            if "overlap" not in error.message.lower():
                raise
    raise EngineError("No free /16 is left between 10.100.0.0 and 10.249.0.0 for the overlay network.")


def free(candidates: Iterable[str], taken: Iterable[str]) -> list[str]:
    """The candidates that overlap none of the taken subnets."""
    used = [ipaddress.ip_network(subnet) for subnet in taken]
    return [c for c in candidates if not any(ipaddress.ip_network(c).overlaps(n) for n in used if n.version == 4)]


async def subnets(engine: Engine) -> list[str]:
    """The subnets of every network that the engine knows."""
    networks = await engine.networks({})
    return [
        config["Subnet"]
        for network in networks
        for config in (network.get("IPAM") or {}).get("Config") or []
        if config.get("Subnet")
    ]
