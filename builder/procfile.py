"""The Procfile: process types and their commands (Heroku, "The Procfile")."""

from collections.abc import Mapping

from mothership.errors import Invalid
from mothership.model import PROCESS_NAME

NAME = "Procfile"
LIMIT = 64 * 1024
"""Bytes."""

SHOWN = 60


def parse(data: bytes) -> dict[str, str]:
    """Process types to commands, in the file's order. Raises Invalid with the number of the first bad line.

    Blank lines and lines that begin with `#` mean nothing.
    """
    if len(data) > LIMIT:
        raise malformed(f"it has {len(data)} bytes, more than {LIMIT // 1024} KiB")
    found: dict[str, str] = {}
    for number, line in enumerate(_text(data).split("\n"), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            name, command = _declaration(stripped, number)
            if name in found:
                raise malformed(f"line {number} declares {name} a second time")
            found[name] = command
    return found


def described(processes: Mapping[str, str]) -> str:
    """The process types as one line: `web, worker`, or `(none)`."""
    return ", ".join(processes) or "(none)"


def malformed(why: str) -> Invalid:
    """The error for a Procfile that can't be taken."""
    return Invalid(
        f"The Procfile can't be read: {why}.",
        "Each line names a process type and its command, such as: web: gunicorn app:app",
        reason="malformed Procfile",
    )


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise malformed(f"line {line} is not UTF-8 text") from error
    if "\0" in text:
        raise malformed(f"line {text[: text.index(chr(0))].count(chr(10)) + 1} holds a NUL character")
    return text.replace("\r\n", "\n")


def _declaration(line: str, number: int) -> tuple[str, str]:
    name, colon, command = (part.strip() for part in line.partition(":"))
    if not colon:
        raise malformed(f"line {number} has no colon: {_shown(line)}")
    if not PROCESS_NAME.fullmatch(name):
        raise malformed(
            f"line {number} has no valid process type (letters, digits, - and _, at most 30): {_shown(name)}"
        )
    if not command:
        raise malformed(f"line {number} gives {name} no command")
    return name, command


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")
