"""What a builder image says of itself (Cloud Native Buildpacks, Platform API, "Builder")."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builder.cnb_project import reference
from mothership.errors import BuildFailed, Invalid

LABEL = "io.buildpacks.builder.metadata"
APIS = ("0.14", "0.13", "0.12")
"""Versions of the Platform API that we speak, the newest first; older ones can't export into a folder."""


@dataclass(frozen=True)
class BuilderImage:
    """A builder image: who runs in it, the run image that goes with it, the Platform API to speak, its buildpacks."""

    name: str
    uid: int
    gid: int
    run_image: str
    api: str
    buildpacks: tuple[tuple[str, str], ...] = ()

    def version(self, buildpack: str) -> str:
        """The version of one of its buildpacks, of several the one it names last. Raises BuildFailed."""
        found = [version for name, version in self.buildpacks if name == buildpack]
        if not found:
            raise BuildFailed(
                f"{self.name} has no buildpack {buildpack}.",
                f"It has: {', '.join(dict(self.buildpacks)) or 'none that it names'}. See project.toml.",
                reason="unknown buildpack",
            )
        return found[-1]


def described(name: str, image: Mapping[str, Any]) -> BuilderImage:
    """Read an image as the engine inspects it. Raises BuildFailed."""
    config = image["Config"]
    try:
        said = json.loads((config.get("Labels") or {})[LABEL])
        env = dict(pair.split("=", 1) for pair in config.get("Env") or [])
        uid, gid = int(env["CNB_USER_ID"]), int(env["CNB_GROUP_ID"])
        run_image = reference(_run_image(said))
        spoken = _spoken(said)
        buildpacks = tuple((str(each["id"]), str(each["version"])) for each in said.get("buildpacks") or [])
    except Invalid as error:
        raise _unfit(name, "the run image it names is none that can be used") from error
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise _unfit(name, f"its label {LABEL} or CNB_USER_ID and CNB_GROUP_ID are missing or malformed") from error
    if uid <= 0 or gid < 0 or max(uid, gid) >= 2**31:
        raise _unfit(name, "its builds would run as root")
    api = next((api for api in APIS if api in spoken), "")
    if not api:
        raise _unfit(name, f"its lifecycle speaks none of the Platform APIs {', '.join(APIS)}: it is too old")
    return BuilderImage(name, uid, gid, run_image, api, buildpacks)


def _run_image(said: Mapping[str, Any]) -> str:
    """`images` since Platform API 0.12, the stack's before."""
    images = said.get("images") or []
    return str(images[0]["image"] if images else said["stack"]["runImage"]["image"])


def _spoken(said: Mapping[str, Any]) -> tuple[str, ...]:
    platform = said["lifecycle"]["apis"]["platform"]
    return tuple(str(api) for api in [*(platform.get("supported") or []), *(platform.get("deprecated") or [])])


def _unfit(name: str, why: str) -> BuildFailed:
    return BuildFailed(
        f"{name} can't be used as a builder: {why}.",
        "Choose another builder image, such as heroku/builder:24",
        reason="bad builder image",
    )
