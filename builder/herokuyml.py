"""heroku.yml: what builds an app and what it runs (Heroku, "Building Docker Images with heroku.yml")."""

from collections.abc import Mapping
from typing import Any

from builder.text import parsed, scalars
from mothership.errors import Invalid
from mothership.model import PROCESS_NAME

NAME = "heroku.yml"


def languages(data: bytes) -> tuple[str, ...]:
    """The buildpacks that `build.languages` stands for; with some, no Dockerfile builds the app."""
    given = _section(data, "build").get("languages")
    return tuple(f"heroku/{name}" for name in (given if isinstance(given, list) else [given]) if isinstance(name, str))


def dockerfiles(data: bytes) -> dict[str, str]:
    """The Dockerfile of each process type that `build.docker` names."""
    return scalars(_section(data, "build").get("docker"))


def arguments(data: bytes) -> dict[str, str]:
    """The build arguments of `build.config`."""
    return scalars(_section(data, "build").get("config"))


def processes(data: bytes) -> dict[str, str]:
    """What `run` says, and the release phase's command: as a Procfile, for an app that has none."""
    found = {str(name): _command(value) for name, value in _section(data, "run").items()}
    found["release"] = _command(_section(data, "release"))
    return {name: command for name, command in found.items() if PROCESS_NAME.fullmatch(name) and command}


def _command(value: object) -> str:
    """A command, a list of commands, or a process type with an image of its own: here every one runs in the app's."""
    if isinstance(value, dict):
        return _command(value.get("command"))
    if isinstance(value, list):
        return " && ".join(filter(None, map(_command, value)))
    return value.strip() if isinstance(value, str) else ""


def _section(data: bytes, name: str) -> Mapping[Any, Any]:
    """A section of the file. Raises Invalid."""
    try:
        found = parsed(data.decode(errors="replace")).get(name)
    except ValueError as error:
        raise Invalid(
            f"{NAME} can't be read: {error}.",
            "Mend it, or remove it if nothing is to be built by it.",
            reason=f"malformed {NAME}",
        ) from error
    return found if isinstance(found, dict) else {}
