"""Which Dockerfile builds an app: the root's, or one that a config var, heroku.yml or a captain-definition names."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from builder import herokuyml
from builder.commit import Root
from builder.source import Source, inside
from mothership.errors import Invalid

NAME = "Dockerfile"
PATH = "DOCKERFILE_PATH"
"""The config var that names an app's Dockerfile."""
CAPTAIN = "captain-definition"


@dataclass(frozen=True)
class Recipe:
    """A Dockerfile: its path in the commit, or its text where a file of another kind holds it.

    `context` is the folder that it sees, "" for the root. `named_by` is what named it; `arguments` are its build
    arguments; `others` the process types that another Dockerfile would build, of which nothing is done here.
    """

    path: str = NAME
    text: bytes = b""
    context: str = ""
    named_by: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()


def by_config(source: Source) -> Recipe | None:
    """What the config var DOCKERFILE_PATH says. Raises Invalid."""
    given = source.config.get(PATH, "").strip()
    return Recipe(_file(given, f"The config var {PATH}"), named_by=f"the config var {PATH}") if given else None


def by_commit(root: Root) -> Recipe | None:
    """The Dockerfile that the commit names, else the one in its root. Raises Invalid."""
    return _heroku(root) or _captain(root) or (Recipe() if NAME in root.files else None)


def _heroku(root: Root) -> Recipe | None:
    """As Heroku does it, a Dockerfile sees the folder that it is in."""
    found = herokuyml.dockerfiles(root.files.get(herokuyml.NAME, b""))
    if not found:
        return None
    process = "web" if "web" in found else next(iter(found))
    path = _file(found[process], f"build.docker.{process} in {herokuyml.NAME}")
    return Recipe(
        path,
        context=_folder(path),
        named_by=herokuyml.NAME,
        arguments=herokuyml.arguments(root.files[herokuyml.NAME]),
        others=tuple(name for name, other in found.items() if other != found[process] and name != process),
    )


def _captain(root: Root) -> Recipe | None:
    """CapRover's file: a Dockerfile's path, its lines, or an image. Others than these leave it to detection."""
    if CAPTAIN not in root.files:
        return None
    try:
        found = json.loads(root.files[CAPTAIN])
        path, lines, image = (found.get(key) for key in ("dockerfilePath", "dockerfileLines", "imageName"))
    except (ValueError, AttributeError, RecursionError) as error:
        raise Invalid(f"{CAPTAIN} is not what it should be: {error}.", reason=f"malformed {CAPTAIN}") from error
    if isinstance(path, str) and path.strip():
        return Recipe(_file(path, f"dockerfilePath in {CAPTAIN}"), named_by=CAPTAIN)
    if isinstance(lines, list) and lines:
        return Recipe(text=_text(lines), named_by=CAPTAIN)
    if isinstance(image, str) and image.strip():
        return Recipe(text=_text([f"FROM {image.strip()}"]), named_by=CAPTAIN)
    return None


def _file(given: str, what: str) -> str:
    """A Dockerfile's path; the root itself stands for the one in it. Raises Invalid."""
    return inside(given, what) or NAME


def _text(lines: Iterable[object]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")


def _folder(path: str) -> str:
    parent = PurePosixPath(path).parent
    return "" if parent == PurePosixPath() else str(parent)
