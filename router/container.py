"""The container HAProxy runs in."""

from pathlib import Path

from mothership.config import Settings
from mothership.engine import Bind, ContainerSpec, Engine
from mothership.engine import ensure as ensure_container
from router.render import PORT, PROXY

ADDRESSES = Path("/proc/net/if_inet6")
LOOPBACK = "0" * 31 + "1 "


def name(settings: Settings) -> str:
    return f"{settings.instance}-proxy"


def spec(settings: Settings, directory: Path) -> ContainerSpec:
    """On the routed overlay, with the HTTP port published; its control sockets are files on the host."""
    where = ((settings.http_bind, settings.http_port),) if settings.http_bind else _everywhere(settings.http_port)
    return ContainerSpec(
        image=f"mothership/platform:{settings.stack}",
        entrypoint=("haproxy",),
        command=("-W", "-db", "-S", f"{PROXY}/master.sock", "-f", f"{PROXY}/haproxy.cfg"),
        user="0:0",
        labels={"mothership.instance": settings.instance, "mothership.role": "proxy"},
        network=settings.network,
        binds=(Bind(str(directory), PROXY), Bind(str(settings.data / "run"), "/daemon")),
        ports={f"{PORT}/tcp": where},
        restart="always",
        cap_drop=("ALL",),
        stop_timeout=5,
        log_driver="json-file",
        log_options={"max-size": "10m", "max-file": "2"},
    )


async def ensure(settings: Settings, engine: Engine, directory: Path) -> bool:
    """Make the proxy's container run as it should; whether it had to be made or started."""
    return await ensure_container(engine, name(settings), spec(settings, directory))


def _everywhere(port: int) -> tuple[tuple[str, int], ...]:
    """Every IPv4 address, and IPv6's loopback: through the engine's relay an IPv6 client would look local."""
    return (("0.0.0.0", port), *([("::1", port)] if has_ipv6_loopback() else []))


def has_ipv6_loopback() -> bool:
    """Whether this machine has the address ::1; an engine refuses to publish on an address that isn't there."""
    return ADDRESSES.exists() and LOOPBACK in ADDRESSES.read_text()
