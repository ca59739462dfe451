"""render.yaml: what an app that was written for Render runs (Render, "Blueprint YAML Reference").

Read for the commands and settings of its web service and its workers, where there is no Procfile. What Render's build
command does, a buildpack does here by itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from builder.declaration import Declaration
from builder.text import parsed
from mothership.model import PROCESS_NAME

NAME = "render.yaml"
VARIABLE = re.compile(r"(?!(?:PORT|PATH|HOME)$)[A-Za-z_][A-Za-z0-9_]*")
WEB, WORKERS = ("web", "pserv"), ("worker",)
ELSEWHERE = ("static", "docker", "image")
"""Runtimes whose services have no command of their own."""


def read(data: bytes) -> Declaration:
    """The first web service of the repository's root, and its workers by their names. Raises ValueError."""
    services = [each for each in _services(parsed(data.decode(errors="replace"))) if _here(each)]
    web = next((each for each in services if each.get("type") in WEB), None)
    processes = {"web": _text(web.get("startCommand")), "release": _text(web.get("preDeployCommand"))} if web else {}
    workers = [each for each in services if each.get("type") in WORKERS]
    for each in workers:
        processes.setdefault(_process(each, alone=len(workers) == 1), _text(each.get("startCommand")))
    settings = list(_settings(web or next(iter(workers), {})))
    return Declaration(
        NAME,
        {name: command for name, command in processes.items() if command and PROCESS_NAME.fullmatch(name)},
        {name: value for name, value in settings if value},
        tuple(name for name, value in settings if not value),
        _text(web.get("buildCommand")) if web else "",
    )


def _services(found: Mapping[Any, Any]) -> Iterator[Mapping[Any, Any]]:
    services = found.get("services")
    for each in services if isinstance(services, list) else ():
        if isinstance(each, dict):
            yield each


def _here(service: Mapping[Any, Any]) -> bool:
    """Whether a service is the root's: one in a folder is another app."""
    runtime = _text(service.get("runtime")) or _text(service.get("env"))
    return runtime not in ELSEWHERE and _text(service.get("rootDir")).strip("./") == ""


def _process(worker: Mapping[Any, Any], *, alone: bool) -> str:
    return "worker" if alone else _text(worker.get("name")).lower()


def _settings(service: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """The names and values of environment variables; "" where Render makes the value or takes it from elsewhere."""
    given = service.get("envVars")
    for each in given if isinstance(given, list) else ():
        if isinstance(each, dict) and VARIABLE.fullmatch(name := _text(each.get("key"))):
            yield name, _text(each.get("value"))


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
