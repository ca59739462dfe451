"""railway.json, railway.toml and nixpacks.toml: what an app that was written for Railway runs.

Railway, "Config as Code"; Nixpacks, "File Configuration". Read for its start command and the one before each deploy,
where there is no Procfile.
"""

import json
import tomllib
from typing import Any

from builder.declaration import Declaration
from builder.text import is_text

JSON, TOML, NIXPACKS = "railway.json", "railway.toml", "nixpacks.toml"


def read(name: str, data: bytes) -> Declaration:
    """What one of the files says. Raises ValueError."""
    text = data.decode(errors="replace")
    found: Any = json.loads(text) if name == JSON else tomllib.loads(text)
    start, build = ("start", "build") if name == NIXPACKS else ("deploy", "build")
    processes = {
        "web": _command(found, start, "cmd" if name == NIXPACKS else "startCommand"),
        "release": _command(found, start, "preDeployCommand"),
    }
    return Declaration(
        name,
        {process: command for process, command in processes.items() if command},
        build=_command(found, build, "buildCommand"),
    )


def _command(found: Any, section: str, name: str) -> str:
    """A command, or a list of them, of a section. Raises ValueError."""
    inside = found.get(section) if isinstance(found, dict) else None
    value = inside.get(name) if isinstance(inside, dict) else None
    lines = value if isinstance(value, list) else [value]
    command = " && ".join(line.strip() for line in lines if isinstance(line, str) and line.strip())
    if not is_text(command):
        raise ValueError(f"{section}.{name} has a NUL or half a character in it")
    return command
