"""A container as plain data, and the API body it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MIB = 1024 * 1024


@dataclass(frozen=True)
class Bind:
    """A host path or a named volume inside a container."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """One container to be. Memory in MiB (0: unlimited), CPU in cores, times in seconds.

    `network` is a network's name, "none", or "container:NAME" to join another's namespace.
    `ports` maps "8080/tcp" to ("127.0.0.1", 80) pairs to publish.
    """

    image: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    workdir: str = ""
    hostname: str = ""
    network: str = ""
    aliases: tuple[str, ...] = ()
    binds: tuple[Bind, ...] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    memory: int = 0
    cpu: float = 0.0
    pids: int = 0
    tty: bool = False
    stdin: bool = False
    init: bool = False
    restart: str = "no"
    cap_drop: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    no_new_privileges: bool = True
    auto_remove: bool = False
    stop_timeout: int = 10
    log_driver: str = ""
    log_options: Mapping[str, str] = field(default_factory=dict)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    ulimits: Mapping[str, int] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The JSON of `POST /containers/create` (Engine API 1.41)."""
        host: dict[str, Any] = {
            "Binds": [f"{b.source}:{b.target}{':ro' if b.read_only else ''}" for b in self.binds],
            "Tmpfs": dict(self.tmpfs),
            "PortBindings": {
                port: [{"HostIp": ip, "HostPort": str(number)} for ip, number in where]
                for port, where in self.ports.items()
            },
            "Memory": self.memory * MIB,
            "MemorySwap": self.memory * MIB,
            "NanoCpus": int(self.cpu * 1e9),
            "PidsLimit": self.pids or None,
            "RestartPolicy": {"Name": self.restart},
            "CapDrop": list(self.cap_drop),
            "CapAdd": list(self.cap_add),
            "SecurityOpt": ["no-new-privileges"] if self.no_new_privileges else [],
            "AutoRemove": self.auto_remove,
            "Init": self.init,
            "Sysctls": dict(self.sysctls),
            "Ulimits": [{"Name": k, "Soft": v, "Hard": v} for k, v in self.ulimits.items()],
        }
        if self.network:
            host["NetworkMode"] = self.network
        if self.log_driver:
            host["LogConfig"] = {"Type": self.log_driver, "Config": dict(self.log_options)}
        body: dict[str, Any] = {
            "Image": self.image,
            "Cmd": list(self.command),
            "Env": [f"{k}={v}" for k, v in self.env.items()],
            "Labels": dict(self.labels),
            "User": self.user,
            "WorkingDir": self.workdir,
            "Hostname": self.hostname,
            "ExposedPorts": {port: {} for port in self.ports},
            "Tty": self.tty,
            "OpenStdin": self.stdin,
            "StdinOnce": self.stdin,
            "AttachStdin": self.stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "StopTimeout": self.stop_timeout,
            "HostConfig": host,
        }
        if self.entrypoint is not None:
            body["Entrypoint"] = list(self.entrypoint)
        if self.aliases and self.network:
            body["NetworkingConfig"] = {"EndpointsConfig": {self.network: {"Aliases": list(self.aliases)}}}
        return body
