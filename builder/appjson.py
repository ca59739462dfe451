"""app.json: health checks and the scripts of a deploy (Heroku's "app.json Schema", Dokku's "healthchecks")."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mothership.errors import Invalid
from mothership.health import KINDS, Check
from mothership.model import PROCESS_NAME

NAME = "app.json"
SCRIPTS = ("predeploy", "postdeploy")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
PATH = re.compile(r"/[\x21-\x7e]*")
NUMBERS = {
    "attempts": ("attempts", 1, 100),
    "timeout": ("timeout", 1, 300),
    "wait": ("wait", 0, 300),
    "initialDelay": ("initial_delay", 0, 3600),
    "port": ("port", 1, 65535),
    "uptime": ("uptime", 0, 3600),
}
"""A check's numbers: their field in `Check`, the least and the most."""

OTHERS = frozenset({"type", "name", "path", "command", "content", "httpHeaders", "listening", "warn"})


@dataclass(frozen=True)
class AppJson:
    """What app.json says about running the app."""

    checks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)


def parse(data: bytes) -> AppJson:
    """Read app.json; what it says beyond health checks and deploy scripts is left alone. Raises Invalid."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise malformed(f"it is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise malformed("it is not a JSON object")
    return AppJson(_checks(values.get("healthchecks", {})), _scripts(values.get("scripts", {})))


def malformed(why: str) -> Invalid:
    """The error for an app.json that can't be taken."""
    return Invalid(f"app.json can't be read: {why}.", "docs/checks.md has examples.", reason="malformed app.json")


def _checks(values: Any) -> dict[str, tuple[Check, ...]]:
    if not isinstance(values, dict):
        raise malformed("healthchecks is not an object of process types")
    found = {}
    for process, checks in values.items():
        if not PROCESS_NAME.fullmatch(process) or not isinstance(checks, list):
            raise malformed(f"healthchecks.{process[:40]} is not a process type with a list of checks")
        found[process] = tuple(_check(each, f"healthchecks.{process}[{i}]") for i, each in enumerate(checks))
    return found


def _check(values: Any, where: str) -> Check:
    if not isinstance(values, dict):
        raise malformed(f"{where} is not an object")
    unknown = sorted(set(values) - set(NUMBERS) - OTHERS)
    if unknown:
        raise malformed(f"{where} has the unknown field {unknown[0][:40]!r}")
    kind = values.get("type", "startup")
    if kind not in KINDS:
        raise malformed(f"{where}.type is none of {', '.join(KINDS)}")
    numbers = {
        name: _number(values[key], least, most, f"{where}.{key}")
        for key, (name, least, most) in NUMBERS.items()
        if key in values
    }
    command = _words(values.get("command"), f"{where}.command")
    path = _text(values.get("path", ""), f"{where}.path")
    if path and not PATH.fullmatch(path):
        raise malformed(f"{where}.path does not begin with / or has a space or a control character in it")
    if command and path:
        raise malformed(f"{where} has both a path and a command")
    if not command and not path and "uptime" not in values and not values.get("listening"):
        path = "/"
    return Check(
        kind=kind,
        name=_text(values.get("name", ""), f"{where}.name"),
        path=path,
        command=command,
        content=_text(values.get("content", ""), f"{where}.content"),
        headers=_headers(values.get("httpHeaders") or [], f"{where}.httpHeaders"),
        warn=bool(values.get("warn", False)),
        **numbers,
    )


def _scripts(values: Any) -> dict[str, str]:
    """The deploy scripts; Dokku's own place for them, `scripts.dokku`, counts too."""
    if not isinstance(values, dict):
        raise malformed("scripts is not an object")
    nested = values.get("dokku")
    merged = {**(nested if isinstance(nested, dict) else {}), **values}
    return {name: _text(merged[name], f"scripts.{name}") for name in SCRIPTS if merged.get(name)}


def _number(value: Any, least: int, most: int, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise malformed(f"{where} is not a whole number from {least} to {most}")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or re.search("[\0\ud800-\udfff]", value) or len(value) > 4096:
        raise malformed(f"{where} is not a text of at most 4096 characters")
    return value


def _words(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        raise malformed(f"{where} is not a list of words")
    return tuple(_text(word, where) for word in value)


def _headers(value: Any, where: str) -> tuple[tuple[str, str], ...]:
    found = []
    for each in value if isinstance(value, list) else [None]:
        if not isinstance(each, dict) or not HEADER.fullmatch(str(each.get("name", ""))):
            raise malformed(f"{where} is not a list of objects with a name and a value")
        text = _text(each.get("value", ""), where)
        if re.search(r"[\r\n]", text):
            raise malformed(f"{where} has a line break in a value")
        found.append((str(each["name"]), text))
    return tuple(found)
