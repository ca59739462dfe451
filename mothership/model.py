"""The nouns every room shares, as frozen data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from mothership.errors import Invalid
from mothership.health import Check

APP_NAME = re.compile(r"[a-z][a-z0-9-]{1,29}")
PROCESS_NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}", re.IGNORECASE)
PORT = re.compile(r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]", re.ASCII)
"""A TCP port, 1 to 65535, as the config var PORT names it."""

CONFIG_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RESERVED = frozenset({"mothership", "www", "api", "admin", "git", "registry", "dashboard", "status", "localhost"})


def app_name(text: str) -> str:
    """Parse an app's name. Raises Invalid."""
    if not APP_NAME.fullmatch(text) or text.endswith("-") or "--" in text:
        raise Invalid(
            f"{text[:60]!r} is not an app name.",
            "Use 2 to 30 lowercase letters, digits and single dashes, beginning with a letter: my-app",
            reason="invalid app name",
        )
    if text in RESERVED:
        raise Invalid(
            f"{text!r} is a name Mothership keeps for itself.", "Choose another app name.", reason="reserved app name"
        )
    return text


def known_name(text: str) -> str:
    """Parse the name of an app or of a preview, `NAME--APP`, which only a push can make. Raises Invalid."""
    preview, separator, parent = text.partition("--")
    if not separator:
        return app_name(text)
    return f"{app_name(preview)}--{app_name(parent)}"


class Role(IntEnum):
    """What somebody may do with an app; each may do what those before it may.

    A viewer sees its logs, processes and releases; a deployer pushes, rolls back and sets config without reading
    secrets; an operator runs commands in it and does all but destroy it or decide who may use it, which its owner does.
    """

    VIEWER = 1
    DEPLOYER = 2
    OPERATOR = 3
    OWNER = 4

    @property
    def title(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class User:
    """A person or machine that authenticated. `admin` may do everything on this server.

    `most` bounds what this key or token may do with any app, `only` which app it may touch ("" for all).
    """

    id: int
    name: str
    admin: bool = False
    most: Role = Role.OWNER
    only: str = ""

    @property
    def limited(self) -> bool:
        """Whether this key or token may do less than its owner."""
        return self.most < Role.OWNER or bool(self.only)


@dataclass(frozen=True)
class Image:
    """An image in the registry, pinned by digest, and what its launch needs to know.

    `kind` is "buildpack" (commands run by bash after .profile.d, HOME=/app), "dockerfile" (the image's own
    entrypoint and working directory) or "cnb" (Cloud Native Buildpacks: `/cnb/process/TYPE`). `processes` maps process
    types to commands; an empty command on a Dockerfile image means the image's own ENTRYPOINT and CMD. `port` is what
    the image EXPOSEs, 0 if nothing.
    `checks` and `scripts` (predeploy, postdeploy) are what app.json declares;
    `stack` is what it was built on.
    """

    repository: str
    digest: str
    kind: str
    processes: Mapping[str, str]
    port: int = 0
    size: int = 0
    entrypoint: tuple[str, ...] = ()
    build_id: str = ""
    checks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    stack: str = ""

    def reference(self, registry: str) -> str:
        """The pullable name, such as `127.0.0.1:7878/app@sha256:…`."""
        return f"{registry}/{self.repository}@{self.digest}"


@dataclass(frozen=True)
class Limits:
    """What one container of a process type may use. Memory in MiB, CPU in cores."""

    memory: int = 512
    cpu: float = 0.0
    pids: int = 512


@dataclass(frozen=True)
class Release:
    """An immutable, numbered release: image + config + formation."""

    app: str
    version: int
    image: Image
    config: Mapping[str, str]
    formation: Mapping[str, int]
    commit: str = ""
    description: str = ""
    user: str = ""
    status: str = "pending"
    created: str = ""
    limits: Mapping[str, Limits] = field(default_factory=dict)
    drain: int = 30
    """Seconds that requests, streams and WebSockets under way have to end when a process goes."""


@dataclass(frozen=True)
class RefUpdate:
    """One line of a push: `old new ref`; all zeros mean absent."""

    old: str
    new: str
    ref: str

    @property
    def deletes(self) -> bool:
        return not self.new.strip("0")

    @property
    def creates(self) -> bool:
        return not self.old.strip("0")


@dataclass(frozen=True)
class Push:
    """A push whose pack has been received and checked, and whose refs have not moved yet."""

    app: str
    user: User
    updates: tuple[RefUpdate, ...]
    options: tuple[str, ...] = ()
    quarantine: str = ""
    remote: str = ""
    """Where the pusher comes from, an IP address."""
