"""project.toml, as far as it decides how an app is built (buildpacks.io, "Project Descriptor", 0.1 and 0.2)."""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mothership.errors import Invalid
from mothership.model import CONFIG_KEY

NAME = "project.toml"
REFERENCE = re.compile(r"[a-z0-9][a-z0-9._/:-]*(@sha256:[0-9a-f]{64})?", re.IGNORECASE)
OWN = ("mothership-build/", "localhost/", "127.", "0.0.0.0", "[")
"""Names of images that are no builder's: builds under way, and registries of the server itself."""


@dataclass(frozen=True)
class Project:
    """The builder image, "" for none; the buildpacks of it to use, as (id, version), all by its own order if none."""

    builder: str = ""
    group: tuple[tuple[str, str], ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def order(self, version: Callable[[str], str]) -> str:
        """The group as an order.toml, "" for the builder's own. `version` finds one that isn't given."""
        if not self.group:
            return ""
        lines = ["[[order]]"]
        for name, given in self.group:
            lines += ["[[order.group]]", f"id = {json.dumps(name)}", f"version = {json.dumps(given or version(name))}"]
        return "\n".join(lines) + "\n"


def parse(data: bytes) -> Project:
    """Read a project.toml. Raises Invalid."""
    try:
        found = tomllib.loads(data.decode())
        modern = found.get("io", {}).get("buildpacks", {})
        older = found.get("build", {})
        group = modern.get("group") or older.get("buildpacks") or []
        env = modern.get("build", {}).get("env") or older.get("env") or []
        return Project(
            builder=reference(builder) if (builder := modern.get("builder") or older.get("builder")) else "",
            group=tuple(map(_buildpack, group)),
            env=dict(map(_variable, env)),
        )
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise Invalid(
            f"{NAME} is not what it should be: {error}.",
            "See buildpacks.io, Project Descriptor.",
            reason=f"malformed {NAME}",
        ) from error


def reference(text: object) -> str:
    """The name of a builder image, never an id of some image that the server has. Raises Invalid."""
    name = str(text).strip()
    host = name.partition("/")[0]
    local = name.startswith(OWN) or host.partition(":")[0] in ("localhost", "sha256") or "/" in host
    if not REFERENCE.fullmatch(name) or len(name) > 300 or local or "//" in name:
        raise Invalid(
            f"{name[:80]!r} is not the name of a builder image.",
            "Such as: heroku/builder:24, paketobuildpacks/builder-jammy-base",
            reason="bad builder image",
        )
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def _variable(entry: Mapping[str, Any]) -> tuple[str, str]:
    name, value = str(entry["name"]), str(entry["value"])
    if not CONFIG_KEY.fullmatch(name):
        raise ValueError(f"{name[:40]!r} is not the name of an environment variable")
    if "\0" in value:
        raise ValueError(f"the value of {name} has a NUL character in it")
    return name, value


def _buildpack(entry: Mapping[str, Any]) -> tuple[str, str]:
    name, version = str(entry.get("id", "")), str(entry.get("version", ""))
    if "uri" in entry or "script" in entry or not re.fullmatch(r"[A-Za-z0-9._/-]+", name):
        raise ValueError("a buildpack is named by its id in the builder image; uri and script are not supported")
    if not re.fullmatch(r"[A-Za-z0-9.+_-]*", version):
        raise ValueError(f"{version[:40]!r} is not a version")
    return name, version
