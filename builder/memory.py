"""What is remembered of an app's last build, so that its steps need not run when nothing they read has changed."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from builder.packs import HERE
from builder.reads import Reads

AGE = 86400.0
"""Seconds after which everything runs again: ranges of versions may mean newer ones by then."""


@dataclass(frozen=True)
class Last:
    """The last build: all that decided it beside the commit, what it read, what it left, and what it said.

    `made` are the paths that it left beside the commit's own, runtimes and dependencies apart. `when` is Unix time.
    """

    key: str
    when: float
    reads: tuple[str, ...]
    made: tuple[str, ...]
    processes: Mapping[str, str]
    config: Mapping[str, str]
    used: str
    extras: tuple[str, ...]

    @property
    def read(self) -> Reads:
        return Reads(self.reads)


class Memory:
    """`<data>/workspaces/APP/last.json`: there only while the workspace is as that build left it."""

    def __init__(self, root: Path) -> None:
        self._path = root / "last.json"

    def recall(self, key: str) -> Last | None:
        """The last build, if it was decided by the same and is young enough."""
        try:
            found: Any = json.loads(self._path.read_text(), object_hook=_frozen)
            last = Last(**found)
            fresh = 0 <= time.time() - last.when < AGE
        except (OSError, ValueError, TypeError):
            return None
        return last if fresh and last.key == key else None

    def keep(self, last: Last) -> None:
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps(asdict(last)))
        scratch.rename(self._path)

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


def key(*facts: object) -> str:
    """A hash of what decides a build, our own buildpacks included. Secrets among it are not readable in it."""
    return hashlib.sha256(json.dumps([_own(), *facts], sort_keys=True, default=str).encode()).hexdigest()


def _frozen(found: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


@cache
def _own() -> str:
    """A hash of the built-in buildpacks and of what runs them."""
    digest = hashlib.sha256()
    for root in (HERE, HERE.parent / "runner"):
        for path in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"):
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
