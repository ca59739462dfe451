"""The few files of a commit that decide how it is built, read in process before anything starts."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dulwich.object_store import BaseObjectStore, DiskObjectStore, OverlayObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree, TreeEntry
from dulwich.repo import Repo

from builder.source import FOLDER, Source
from builder.tree import git_environment
from mothership.errors import BuildFailed, Invalid

LIMIT = 1024 * 1024
"""Bytes; no file that decides anything is larger."""

SYMLINK, FOLDER_MODE = 0o120000, 0o040000
READ = (
    "Procfile",
    "Dockerfile",
    ".dockerignore",
    ".buildpacks",
    "app.json",
    ".slugignore",
    "project.toml",
    "heroku.yml",
    "captain-definition",
    "render.yaml",
    "railway.json",
    "railway.toml",
    "nixpacks.toml",
)


@dataclass(frozen=True)
class Root:
    """The root of a commit's tree: every name in it, and the contents of the files that decide. `time` is Unix time."""

    time: int
    names: tuple[str, ...]
    files: Mapping[str, bytes]


def read_root(source: Source) -> Root:
    """Read the root of a commit, quarantined or not. Raises Invalid, BuildFailed."""
    with _objects(source) as objects:
        commit = objects[ObjectID(source.commit.encode())]
        tree = _tree(source, objects, commit)
        assert isinstance(commit, Commit)
        entries = {entry.path.decode(errors="surrogateescape"): entry for entry in tree.items()}
        files = {name: _file(source, objects, name, entries[name]) for name in READ if name in entries}
        return Root(
            commit.commit_time, tuple(entries), {name: data for name, data in files.items() if data is not None}
        )


def read_file(source: Source, path: str) -> bytes | None:
    """One file of what is built, None where there is none. Raises Invalid for a symlink or a huge file."""
    *folders, name = path.split("/")
    with _objects(source) as objects:
        tree: Tree | None = _tree(source, objects, objects[ObjectID(source.commit.encode())])
        for folder in folders:
            tree = _child(objects, tree, folder)
        entry = {entry.path: entry for entry in tree.items()}.get(name.encode()) if tree else None
        return _file(source, objects, path, entry) if entry else None


@contextlib.contextmanager
def _objects(source: Source) -> Iterator[BaseObjectStore]:
    with Repo(str(source.repository)) as repo:
        if not source.quarantine:
            yield repo.object_store
            return
        with contextlib.closing(DiskObjectStore(source.quarantine)) as quarantine:
            yield OverlayObjectStore([quarantine, repo.object_store])


def _tree(source: Source, objects: BaseObjectStore, commit: ShaFile) -> Tree:
    """The tree that is built: the commit's own, or a folder's. Raises BuildFailed."""
    if not isinstance(commit, Commit):
        raise BuildFailed(f"{source.commit[:7]} is not a commit.", "Push a branch, not a tag or a tree.")
    found: Tree | None = _as_tree(objects[commit.tree])
    for piece in source.folder.split("/") if source.folder else ():
        found = _child(objects, found, piece)
    if found is None:
        raise BuildFailed(
            f"There is no folder {source.folder} in {source.commit[:7]}, which the config var {FOLDER} names.",
            f"To build the root: mothership config:unset -a {source.app} {FOLDER}",
            reason=f"no such {FOLDER}",
        )
    return found


def _child(objects: BaseObjectStore, tree: Tree | None, name: str) -> Tree | None:
    """A folder in a folder, None where there is none."""
    below = {entry.path: entry.sha for entry in tree.items() if entry.mode == FOLDER_MODE} if tree else {}
    return _as_tree(objects[below[name.encode()]]) if name.encode() in below else None


def _as_tree(found: ShaFile) -> Tree | None:
    return found if isinstance(found, Tree) else None


def _file(source: Source, objects: BaseObjectStore, name: str, entry: TreeEntry) -> bytes | None:
    """A file's bytes, None for a directory of that name. Raises Invalid for a symlink or a huge file."""
    if entry.mode == SYMLINK:
        raise Invalid(
            f"{name} is a symbolic link.", f"Commit the file itself under the name {name}.", reason=f"bad {name}"
        )
    if not entry.mode & 0o100000:
        return None
    size = _size(source, entry.sha.decode())
    if size > LIMIT:
        raise Invalid(
            f"{name} is larger than {LIMIT // 1024} KiB ({size} bytes).",
            "Check what was committed under that name.",
            reason=f"bad {name}",
        )
    found = objects[entry.sha]
    return found.data if isinstance(found, Blob) else None


def _size(source: Source, blob: str) -> int:
    """A blob's size in bytes, without reading it into memory (git-cat-file(1), -s)."""
    argv = ["git", "-c", "safe.directory=*", f"--git-dir={source.repository}", "cat-file", "-s", blob]
    done = subprocess.run(argv, capture_output=True, text=True, env=git_environment(source), check=False)
    return int(done.stdout or 0)
