"""An app's workspace: the pushed tree synced into what the last build left of runtimes and dependencies."""

import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from builder.parts import HOLDERS, outlives_a_build, parents
from builder.reads import Changes
from builder.source import Source
from builder.tree import Entry, contents
from mothership.errors import BuildFailed

OWNER = 1000
LINK = "120000"


class Workspace:
    """`<data>/workspaces/APP/app`, mounted at /app during a build. Nothing runs in it while it is synced."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = root / "app"
        self._known = root / "tree.json"
        self._unfinished = root / "unfinished"
        self._builders = root / "buildpacks"
        self._extras = root / "extras"

    def changes(self, tree: Mapping[str, Entry]) -> Changes | None:
        """What is other than in the tree of the last sync.

        None where a build touched any of its files, or where the workspace can't be trusted.
        """
        before = self._load()
        if not before or self._unfinished.exists():
            return None
        if any(_mark(self.app / path) != mark for path, (_, _, mark) in before.items()):
            return None
        both = before.keys() & tree.keys()
        contents = {path for path in both if before[path][:2] != [tree[path].mode, tree[path].blob]}
        names = before.keys() ^ tree.keys()
        folders = _folders(before) ^ _folders(tree) if names else set()
        return Changes(frozenset(contents), frozenset(names) | {f"{path}/" for path in folders})

    def sync(self, source: Source, tree: Mapping[str, Entry], keep: Iterable[str] = ()) -> None:
        """Make the workspace a commit's tree plus what outlives a build, and `keep`. Raises BuildFailed, OSError."""
        if source.no_cache or self._unfinished.exists():
            shutil.rmtree(self.app, ignore_errors=True)
        self.app.mkdir(parents=True, exist_ok=True)
        os.chown(self.app, OWNER, OWNER)
        before = self._load()
        self._known.unlink(missing_ok=True)
        self._drop(path for path in before if path not in tree)
        for path in list(self._extra(tree, frozenset(keep))):
            self._remove(path)
        stale = {path: entry for path, entry in tree.items() if not self._fresh(path, entry, before.get(path))}
        for path, data in contents(source, stale):
            self._write(path, stale[path], data)
        self._save(tree)

    def made(self, tree: Mapping[str, Entry]) -> tuple[str, ...]:
        """What the build left beside the tree, runtimes and dependencies apart; of a folder only its own name."""
        return tuple(self._extra(tree, frozenset()))

    @contextmanager
    def building(self) -> Iterator[None]:
        """While a build works in here; one that is cut off in the middle makes the next start from nothing."""
        self._unfinished.touch()
        try:
            yield
        except BuildFailed as error:
            if error.reason == BuildFailed.reason:
                self._unfinished.unlink()
            raise
        self._unfinished.unlink()

    @property
    def extras(self) -> tuple[str, ...]:
        """What the last build needed on top of the stack."""
        return tuple(self._extras.read_text().split()) if self._extras.exists() else ()

    @extras.setter
    def extras(self, names: tuple[str, ...]) -> None:
        if names != self.extras:
            self._extras.write_text(" ".join(names))

    def changes_hands(self, buildpacks: str) -> bool:
        """Whether other buildpacks built here before, whose runtimes and dependencies would stay in the image."""
        before = self._builders.read_text() if self._builders.exists() else buildpacks
        self._builders.write_text(buildpacks)
        return before != buildpacks

    def _drop(self, paths: Iterable[str]) -> None:
        """Remove files that were in the last tree, also where a build may keep others."""
        for path in paths:
            place = self.app
            for piece in path.split("/")[:-1]:
                place = place / piece
                if place.is_symlink():
                    break
            else:
                with suppress(OSError):
                    (place / path.rsplit("/", 1)[-1]).unlink()

    def _load(self) -> Mapping[str, list[Any]]:
        try:
            return dict(json.loads(self._known.read_text()))
        except (OSError, ValueError):
            return {}

    def _save(self, tree: Mapping[str, Entry]) -> None:
        known = {path: [entry.mode, entry.blob, _mark(self.app / path)] for path, entry in tree.items()}
        scratch = self._known.with_suffix(".new")
        scratch.write_text(json.dumps(known))
        scratch.rename(self._known)

    def _fresh(self, path: str, entry: Entry, before: list[object] | None) -> bool:
        """Whether the file is what the last sync wrote, untouched since by any build."""
        return before == [entry.mode, entry.blob, _mark(self.app / path)]

    def _extra(self, tree: Mapping[str, Entry], keep: frozenset[str]) -> Iterator[str]:
        """What is neither in the tree nor to be kept nor may outlive a build."""
        directories = _folders(tree)

        def below(relative: str) -> Iterator[str]:
            with os.scandir(self.app / relative) as entries:
                found = list(entries)
            for entry in found:
                path = f"{relative}{entry.name}"
                if path in keep:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    inside = f"{path}/"
                    if outlives_a_build(inside):
                        continue
                    if inside in HOLDERS or path in directories:
                        yield from below(inside)
                    else:
                        yield path
                elif path not in tree:
                    yield path

        yield from below("")

    def _remove(self, path: str) -> None:
        place = self.app / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()

    def _write(self, path: str, entry: Entry, data: bytes) -> None:
        target = self._place(path)
        if entry.mode == LINK:
            target.symlink_to(os.fsdecode(data))
            os.lchown(target, OWNER, OWNER)
            return
        mode = 0o755 if entry.mode == "100755" else 0o644
        file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(file, "wb") as handle:
            handle.write(data)
            os.fchmod(handle.fileno(), mode)
            os.fchown(handle.fileno(), OWNER, OWNER)

    def _place(self, path: str) -> Path:
        """Where a file goes, its directories made; what stands in the way, a symlink too, is removed first."""
        place = self.app
        *parents, name = path.split("/")
        for parent in parents:
            place = place / parent
            if os.path.lexists(place):
                if stat.S_ISDIR(place.lstat().st_mode):
                    continue
                place.unlink()
            place.mkdir()
            os.chown(place, OWNER, OWNER)
        target = place / name
        if os.path.lexists(target):
            if stat.S_ISDIR(target.lstat().st_mode):
                shutil.rmtree(target)
            else:
                target.unlink()
        return target


def _folders(paths: Iterable[str]) -> set[str]:
    return {parent for path in paths for parent in parents(path)}


def _mark(path: Path) -> list[int]:
    """What changes when anybody touches a file; ctime can't be set back."""
    try:
        found = path.lstat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_mode]
