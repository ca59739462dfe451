"""`config:edit`, the user's side: an app's config vars as a file in their own editor."""

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mothership.errors import Invalid, MothershipError
from mothership.model import CONFIG_KEY

HEAD = """\
# The config vars of {app}, a KEY=VALUE a line. Save and quit: what differs is sent and makes a release.
# A value in double quotes is read as JSON, so that it may have line ends: KEY="one\\ntwo".

"""


def edited(values: Mapping[str, str], app: str) -> dict[str, str]:
    """What the user makes of the config vars; only they can read the file. Raises MothershipError."""
    with tempfile.TemporaryDirectory(prefix="mothership-") as folder:  # of mode 700: an editor's copies are in it too
        path = Path(folder) / f"{app}.env"
        path.touch(mode=0o600)
        path.write_text(render(values, app), encoding="utf-8")
        _open_editor(path)
        try:
            return parse(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid("The file isn't there any more, or isn't text; nothing was sent.") from error


def render(values: Mapping[str, str], app: str) -> str:
    """The file's text."""
    return HEAD.format(app=app) + "".join(f"{key}={_quoted(value)}\n" for key, value in sorted(values.items()))


def parse(text: str) -> dict[str, str]:
    """Read the file. Raises Invalid, with the line but not its value, which may be a secret."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip() or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not CONFIG_KEY.fullmatch(key):
            raise Invalid(f"Line {number} is not KEY=VALUE; nothing was sent.")
        if key in values:
            raise Invalid(f"{key} is there twice, in line {number} again; nothing was sent.")
        values[key] = _value(value, number)
    return values


def change(app: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """The one command that makes the new config vars of the old ones; empty when they are the same."""
    pairs = [f"{key}={value}" for key, value in new.items() if old.get(key) != value]
    gone = [key for key in old if key not in new]
    if pairs:
        return ["config:set", "--app", app, *(["--unset", ",".join(gone)] if gone else []), "--", *pairs]
    return ["config:unset", "--app", app, "--", *gone] if gone else []


def _open_editor(path: Path) -> None:
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    hint = "Set VISUAL or EDITOR to your editor."
    try:
        status = subprocess.run([*command, str(path)], check=False).returncode
    except OSError as error:
        raise Invalid(f"The editor {command[0]} could not be started: {error.strerror}.", hint) from error
    if status:
        raise MothershipError(f"The editor {command[0]} ended with status {status}; nothing was sent.")


def _quoted(value: str) -> str:
    plain = value.isprintable() and value == value.strip() and not value.startswith('"')
    return value if plain else json.dumps(value, ensure_ascii=False)


def _value(text: str, number: int) -> str:
    if not text.startswith('"'):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, str):
        raise Invalid(f"The double quotes in line {number} don't match; nothing was sent.")
    return value
