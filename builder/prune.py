"""What builds leave on the disk between them, app by app, and taking it away by age and by size.

A workspace and a cache only make the next build quicker; an app without them is built from scratch.
"""

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from builder.disk import folder_size

KINDS = WORK, CACHE = ("workspaces", "cache")
DAY = 86400
MEGA = 1024 * 1024


@dataclass(frozen=True)
class Kept:
    """What is kept for an app's next build: bytes of its workspace and its cache, and when it was last built."""

    app: str
    workspace: int
    cache: int
    built: float
    """Unix time."""

    @property
    def size(self) -> int:
        return self.workspace + self.cache


def kept(data: Path) -> list[Kept]:
    """What is there, of the app that was built last first."""
    names = {path.name for kind in KINDS if (data / kind).is_dir() for path in (data / kind).iterdir()}
    found = [Kept(name, _size(data / WORK / name), _size(data / CACHE / name), _built(data, name)) for name in names]
    return sorted(found, key=lambda each: each.built, reverse=True)


def too_much(found: Iterable[Kept], apps: frozenset[str], *, days: float, megabytes: float) -> list[Kept]:
    """Which of them should go: those of apps that are gone, those not built for so many days, and, when the rest is
    larger than so many MiB together, those that were built longest ago.
    """
    gone, size, oldest = [], 0, time.time() - days * DAY
    for each in sorted(found, key=lambda each: each.built, reverse=True):
        size += each.size
        if each.app not in apps or each.built < oldest or size > megabytes * MEGA:
            gone.append(each)
            size -= each.size
    return gone


def remove(data: Path, gone: Iterable[Kept]) -> None:
    """Take them away. The caller sees to it that none of these apps is being built."""
    for each in gone:
        for kind in KINDS:
            shutil.rmtree(data / kind / each.app, ignore_errors=True)


def _size(folder: Path) -> int:
    return folder_size(folder) if folder.is_dir() else 0


def _built(data: Path, app: str) -> float:
    """When a build last wrote what it remembers."""
    marks = [data / "workspaces" / app / name for name in ("layers.json", "tree.json", "app")]
    marks += [data / kind / app for kind in KINDS]
    return max((mark.stat().st_mtime for mark in marks if mark.exists()), default=0.0)
