"""The engine's build cache that making the stack left: a gigabyte that nothing will use once its images are gone."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from builder.cli import docker_cli, docker_environment
from mothership.config import Settings
from mothership.engine import Engine

MARK = "/run/stack/"
"""In the description of every step of ours that installs something; the engine keeps no labels in its cache."""


async def prune(settings: Settings, engine: Engine) -> None:
    """Remove the steps that made the stack's images and what was built on them; other cache stays."""
    for record in ours(await _records(settings)):
        await engine.call(partial(_prune, record))


async def _records(settings: Settings) -> list[dict[str, str]]:
    """What is in the cache. By the command: some engines' API leaves out parents, some give them a misspelt name."""
    argv = [await docker_cli(), "system", "df", "--verbose", "--format", "{{json .BuildCache}}"]
    child = await asyncio.create_subprocess_exec(
        *argv, env=docker_environment(settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    printed, _ = await child.communicate()
    return list(json.loads(printed or b"[]") or [])


def _prune(record: str, api: Any) -> None:
    api.prune_builds(filters={"id": [record]}, all=True)


def ours(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of our steps and of what stands on them, each before what it stands on."""
    parents = {str(record["ID"]): _parents(record) for record in records}
    found = [str(record["ID"]) for record in records if MARK in str(record.get("Description", ""))]
    for base in found:  # grows while it is gone through
        found += [name for name, below in parents.items() if base in below and name not in found]
    return _leaves_first(found, parents)


def _leaves_first(names: list[str], parents: Mapping[str, set[str]]) -> list[str]:
    ordered: list[str] = []
    left = list(names)
    while left:
        needed = set().union(*(parents[name] for name in left))
        free = [name for name in left if name not in needed] or left
        ordered += free
        left = [name for name in left if name not in free]
    return ordered


def _parents(record: Mapping[str, Any]) -> set[str]:
    return set(re.findall(r"\w+", str(record.get("Parent", ""))))
