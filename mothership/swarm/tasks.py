"""Swarm tasks: what one says about itself (Engine API, "Task")."""

from dataclasses import dataclass
from typing import Any

from mothership.swarm.plan import APP, PROCESS, RELEASE

STARTING = frozenset({"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"})
DEAD = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})


@dataclass(frozen=True)
class Task:
    """One task of a service. `address` is its place on the routed overlay, "" until Swarm has chosen it."""

    id: str
    service: str
    app: str
    process: str
    release: int
    slot: int
    state: str
    wanted: str
    error: str
    address: str
    container: str
    exit_code: int
    node: str
    since: str

    @property
    def running(self) -> bool:
        return self.state == "running" and self.wanted == "running"

    @property
    def dead(self) -> bool:
        return self.state in DEAD

    @property
    def crashed(self) -> bool:
        """It ended, and nobody asked it to."""
        return self.state in ("failed", "rejected", "complete", "orphaned")


def task(data: dict[str, Any], network: str) -> Task:
    """Parse a task of the API; `network` is the routed overlay's name."""
    names = data["Spec"]["ContainerSpec"].get("Labels") or {}
    status = data.get("Status") or {}
    container = status.get("ContainerStatus") or {}
    return Task(
        id=data["ID"],
        service=data["ServiceID"],
        app=names.get(APP, ""),
        process=names.get(PROCESS, ""),
        release=int(names.get(RELEASE, "0")),
        slot=data.get("Slot", 0),
        state=status.get("State", "new"),
        wanted=data.get("DesiredState", "running"),
        error=status.get("Err", ""),
        address=_address(data, network),
        container=container.get("ContainerID", ""),
        exit_code=container.get("ExitCode", 0),
        node=data.get("NodeID", ""),
        since=status.get("Timestamp", ""),
    )


def _address(data: dict[str, Any], network: str) -> str:
    for attachment in data.get("NetworksAttachments") or []:
        if attachment["Network"]["Spec"]["Name"] == network and attachment.get("Addresses"):
            return str(attachment["Addresses"][0]).split("/")[0]
    return ""
