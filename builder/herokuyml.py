"""heroku.yml: the languages that build an app and what it runs (Heroku, "Building Docker Images with heroku.yml")."""

import re
from collections.abc import Mapping

from builder.release import sections
from mothership.model import PROCESS_NAME

NAME = "heroku.yml"
LANGUAGE = re.compile(r"[a-z][a-z0-9-]*")
NESTED = re.compile(r"(?:image:\s+\S+\s+)?command:\s+-\s+(?P<command>.+?)(?:\s+image:\s+\S+)?")
"""A process type with an image of its own to run in: here every one runs in the app's."""


def languages(data: bytes) -> tuple[str, ...]:
    """The buildpacks that `build.languages` stands for; with some, no Dockerfile builds the app."""
    given = _sections(data).get("build", {}).get("languages", "")
    return tuple(f"heroku/{name}" for name in LANGUAGE.findall(given))


def processes(data: bytes) -> dict[str, str]:
    """What `run` says, and the release phase's command: as a Procfile, for an app that has none."""
    found = {name: _command(value) for name, value in _sections(data).get("run", {}).items()}
    release = _sections(data).get("release", {}).get("command", "")
    found["release"] = release.removeprefix("- ").strip(" []'\"")
    return {name: command for name, command in found.items() if PROCESS_NAME.fullmatch(name) and command}


def _command(value: str) -> str:
    nested = NESTED.fullmatch(value)
    return nested["command"] if nested else value if not value.startswith(("image:", "command:")) else ""


def _sections(data: bytes) -> Mapping[str, Mapping[str, str]]:
    return sections(data.decode(errors="replace"))
