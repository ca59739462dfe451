"""Which file of the commit says what the app runs: its Procfile, heroku.yml, or one for another platform."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from builder import herokuyml, procfile, railway, renderyaml
from builder.commit import Root
from builder.declaration import Declaration
from builder.desk import read

OTHERS = (renderyaml.NAME, railway.JSON, railway.TOML, railway.NIXPACKS)
TOOLS = re.compile(
    r"^\s*(?:\w+=\S*\s+)*(?:exec\s+)?(?:cargo|go|rustup|mvn|gradle|\./mvnw|\./gradlew|sbt|lein|uv|poetry|pipenv)\s",
    re.MULTILINE,
)
"""Commands of tools that build what they run: they are not there when the app runs."""

MANAGER = re.compile(r"(?:\w+=\S*\s+)*(?:exec\s+)?(npm|npx|yarn|pnpm|bun)\s")
MANAGERS = (".heroku/node/tools/bin", ".heroku/node/bin", ".heroku/bun/bin")
"""Where a JavaScript app's own package manager is in its image."""

PROGRAM = re.compile(r"(?:\w+=\S*\s+)*(?:exec\s+)?(?:(?:ba)?sh\s+|\./)([\w./-]+)")
USUAL = re.compile(
    r"pip3? install( --upgrade pip| -U pip)?( -r requirements\.txt)?|python -m pip install [\w. -]+|uv sync.*"
    r"|poetry install.*|(npm|yarn|pnpm|bun)( install| ci| i| run build| build)?( --[\w=-]+)*|corepack enable"
    r"|bundle install|composer install.*|go build.*|cargo build.*|(\./mvnw|mvn|\./gradlew|gradle) .*"
    r"|python3? manage\.py collectstatic.*"
)
"""Steps of a build command that a buildpack takes by itself."""


def declared(root: Root, *, image: bool = False) -> Declaration:
    """What the commit says; nothing but the name of a Procfile where it says nothing. Raises Invalid.

    With `image`, a Dockerfile builds the app, and settings for a platform's own way of building don't apply.
    """
    if procfile.NAME in root.files:
        return Declaration(procfile.NAME, procfile.parse(root.files[procfile.NAME]))
    if found := herokuyml.processes(root.files.get(herokuyml.NAME, b"")):
        return Declaration(herokuyml.NAME, found)
    names = OTHERS[1:3] if image else OTHERS
    return next((_read(root, name) for name in names if name in root.files), Declaration(procfile.NAME))


def usable(found: Declaration, defaults: Mapping[str, str], app: Path) -> dict[str, str]:
    """The process types; of another platform's, not those of programs that its own build would have made."""
    if found.file not in OTHERS:
        return dict(found.processes)
    return {name: command for name, command in found.processes.items() if name not in defaults or _runs(command, app)}


def remarks(found: Declaration, used: Mapping[str, str], config: Mapping[str, str], app: str) -> Iterator[str]:
    """What a user should know of a file of another platform's, a line each."""
    if found.trouble:
        yield f"{found.file} is not used, it can't be read: {found.trouble}"
    for name, command in found.processes.items():
        if name not in used:
            yield f"Not used: {found.file} starts {name} by {_short(command)!r}, which can't run in the image"
    steps = re.split(r"\s*(?:&&|;|\n)\s*", found.build)
    if found.build and not all(USUAL.fullmatch(step) for step in steps if step):
        yield f"Not run: its build command {_short(found.build)!r}, in whose place the buildpack builds"
    missing = [name for name in found.unset if name not in config]
    if missing:
        yield f"It has config vars that this app lacks: {', '.join(missing)}"
        yield f"Set them if it needs them: mothership config:set -a {app} {missing[0]}=..."


def _read(root: Root, name: str) -> Declaration:
    data = root.files[name]
    try:
        return renderyaml.read(data) if name == renderyaml.NAME else railway.read(name, data)
    except (ValueError, RecursionError) as error:
        return Declaration(name, trouble=str(error))


def _runs(command: str, app: Path) -> bool:
    """Whether a command, and the script that it may be, can run in the app's image."""
    if TOOLS.search(f"{command} "):
        return False
    if manager := MANAGER.match(f"{command} "):
        return any(os.path.lexists(app / folder / manager[1]) for folder in MANAGERS)
    program = PROGRAM.match(command)
    if program is None:
        return True
    return (
        ".." not in program[1].split("/") and (app / program[1]).is_file() and not TOOLS.search(read(app / program[1]))
    )


def _short(command: str) -> str:
    line = " ".join(command.split())
    return line if len(line) <= 60 else f"{line[:60]}…"
