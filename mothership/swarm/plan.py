"""The Swarm service of one process type of one release, as plain data."""

import zlib
from collections.abc import Mapping
from typing import Any

from mothership.config import Settings
from mothership.engine.container import MIB
from mothership.model import PORT, Image, Limits, Release

SECOND = 1_000_000_000
DEFAULT_PORT = 5000
DEFAULT_INSTANCE = "mothership"
LONGEST = 63

INSTANCE = "mothership.instance"
APP = "mothership.app"
PROCESS = "mothership.process"
RELEASE = "mothership.release"
ROLE = "mothership.role"

DROPPED = ("CAP_NET_RAW", "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_SYS_CHROOT")
"""What Docker would give and no app needs; a process that isn't root loses all capabilities anyway."""


def service_name(settings: Settings, app: str, process: str, version: int) -> str:
    """`APP-PROCESS-vN`; another instance than the default one puts its own name first. At most 63 characters."""
    name = f"{app}-{process}-v{version}"
    if settings.instance != DEFAULT_INSTANCE:
        name = f"{settings.instance}-{name}"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}-{zlib.crc32(name.encode()):08x}"


def labels(settings: Settings, app: str, process: str, version: int) -> dict[str, str]:
    """What lets the state be rebuilt from the engine alone."""
    return {INSTANCE: settings.instance, APP: app, PROCESS: process, RELEASE: str(version)}


def port(release: Release) -> int:
    """Where a web process listens: what the config var PORT says, else what a Dockerfile EXPOSEs, else the default."""
    given = release.config.get("PORT", "")
    return int(given) if PORT.fullmatch(given) else release.image.port or DEFAULT_PORT


def arguments(image: Image, command: str) -> list[str]:
    """What the launcher is told to run; an empty command means the image's own ENTRYPOINT and CMD."""
    if image.kind == "buildpack":
        return ["app", command]
    if image.kind == "cnb":
        return ["exec", command]
    return ["sh", command] if command else ["exec", *image.entrypoint]


def environment(release: Release, process: str, *, dyno: str) -> dict[str, str]:
    """A process's environment: the app's config vars, then what Mothership says about it (Heroku's dyno metadata)."""
    values = {
        "PORT": str(port(release)),
        **release.config,
        "DYNO": dyno,
        "MOTHERSHIP_APP": release.app,
        "MOTHERSHIP_RELEASE": f"v{release.version}",
        "HEROKU_RELEASE_VERSION": f"v{release.version}",
        "SOURCE_VERSION": release.commit,
    }
    if process == "web":
        values["PORT"] = str(port(release))
    return values


def escaped(value: str) -> str:
    """A value that Swarm's templates leave as it is: it expands `{{…}}` in every environment variable."""
    return value.replace("{{", '{{"{{"}}')


def service(settings: Settings, release: Release, process: str, replicas: int, *, network: str) -> dict[str, Any]:
    """The JSON of `POST /services/create` (Engine API 1.41). Durations are nanoseconds."""
    limits = release.limits.get(process, Limits())
    names = labels(settings, release.app, process, release.version)
    values = environment(release, process, dyno="")
    del values["DYNO"]
    drain = release.drain if process == "web" else 0
    variables = [f"{key}={escaped(value)}" for key, value in values.items()]
    variables += [f"DYNO={process}.{{{{.Task.Slot}}}}", f"MOTHERSHIP_DRAIN={drain}"]
    return {
        "Name": service_name(settings, release.app, process, release.version),
        "Labels": names,
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": release.image.reference(settings.registry),
                "Args": arguments(release.image, release.image.processes.get(process, "")),
                "Env": variables,
                "Labels": names,
                "Hostname": f"{process}-{{{{.Task.Slot}}}}",
                "StopGracePeriod": (drain + settings.grace + 5) * SECOND,
                "CapabilityDrop": list(DROPPED),
                "Init": False,
            },
            "Resources": {"Limits": _limits(limits)},
            "RestartPolicy": {"Condition": "any", "Delay": 2 * SECOND},
            "Networks": [{"Target": network}],
            "LogDriver": {"Name": "json-file", "Options": {"max-size": "10m", "max-file": "3"}},
        },
        "Mode": {"Replicated": {"Replicas": replicas}},
        "EndpointSpec": {"Mode": "dnsrr"},
    }


def _limits(limits: Limits) -> Mapping[str, int]:
    values = {"MemoryBytes": limits.memory * MIB, "Pids": limits.pids}
    if limits.cpu:
        values["NanoCPUs"] = int(limits.cpu * SECOND)
    return values
