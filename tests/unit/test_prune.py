"""What is kept for builds, and what of it goes."""

import os
import time
from pathlib import Path

from builder.prune import DAY, kept, remove, too_much


def leave(data: Path, app: str, *, days: float, size: int) -> None:
    """An app's workspace and cache of so many bytes together, last built so many days ago."""
    for kind, part in (("workspaces", size // 2), ("cache", size - size // 2)):
        place = data / kind / app
        place.mkdir(parents=True)
        (place / "data").write_bytes(b"x" * part)
        os.utime(place, (time.time() - days * DAY,) * 2)


def names(found: list[object]) -> list[str]:
    return [each.app for each in found]  # type: ignore[attr-defined]


def test_what_is_kept_is_measured_app_by_app_the_last_built_first(tmp_path: Path) -> None:
    leave(tmp_path, "old", days=9, size=100)
    leave(tmp_path, "new", days=1, size=300)
    found = kept(tmp_path)
    assert names(found) == ["new", "old"]
    assert (found[0].workspace, found[0].cache, found[0].size) == (150, 150, 300)
    assert kept(tmp_path / "nowhere") == []


def test_what_is_too_old_goes_and_what_belongs_to_no_app(tmp_path: Path) -> None:
    for app, days in (("old", 40), ("new", 1), ("destroyed", 1)):
        leave(tmp_path, app, days=days, size=10)
    gone = too_much(kept(tmp_path), frozenset({"old", "new"}), days=30, megabytes=100)
    assert sorted(names(gone)) == ["destroyed", "old"]
    remove(tmp_path, gone)
    assert names(kept(tmp_path)) == ["new"]


def test_beyond_the_size_what_was_built_longest_ago_goes_first(tmp_path: Path) -> None:
    for number in range(4):
        leave(tmp_path, f"app{number}", days=number, size=1024 * 1024)
    gone = too_much(kept(tmp_path), frozenset(f"app{n}" for n in range(4)), days=30, megabytes=2.5)
    assert names(gone) == ["app2", "app3"]


def test_nothing_goes_that_is_young_and_small(tmp_path: Path) -> None:
    leave(tmp_path, "app", days=1, size=10)
    assert too_much(kept(tmp_path), frozenset({"app"}), days=30, megabytes=1) == []
