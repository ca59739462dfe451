"""The engine's build cache that making the stack left: a gigabyte that nothing will use once its images are gone."""

from collections.abc import Mapping, Sequence
from typing import Any

from mothership.engine import Engine

MARK = "/run/stack/"
"""In the description of every step of ours that installs something; the engine keeps no labels in its cache."""


async def prune(engine: Engine) -> None:
    """Remove the steps that made the stack's images and what was built on them; other cache stays."""
    await engine.call(_prune)


def _prune(api: Any) -> None:
    for record in ours(api.df().get("BuildCache") or []):
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
    """A list since API 1.42, one name before."""
    return {str(name) for name in [*(record.get("Parents") or []), record.get("Parent")] if name}
