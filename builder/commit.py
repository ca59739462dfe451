"""The few files of a commit that decide how it is built, read in process before anything starts."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dulwich.object_store import BaseObjectStore, DiskObjectStore, OverlayObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.repo import Repo

from builder.source import Source
from mothership.errors import BuildFailed, Invalid

LIMIT = 1024 * 1024
"""Bytes; no file that decides anything is larger."""

SYMLINK = 0o120000
READ = ("Procfile", "Dockerfile", ".dockerignore", ".buildpacks", "app.json", ".slugignore")


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
        if not isinstance(commit, Commit):
            raise BuildFailed(f"{source.commit[:7]} is not a commit.", "Push a branch, not a tag or a tree.")
        tree = objects[commit.tree]
        assert isinstance(tree, Tree)
        entries = {entry.path.decode(errors="surrogateescape"): entry for entry in tree.items()}
        files = {name: _file(objects, name, entries[name].mode, entries[name].sha) for name in READ if name in entries}
        return Root(
            commit.commit_time, tuple(entries), {name: data for name, data in files.items() if data is not None}
        )


@contextlib.contextmanager
def _objects(source: Source) -> Iterator[BaseObjectStore]:
    with Repo(str(source.repository)) as repo:
        if not source.quarantine:
            yield repo.object_store
            return
        with contextlib.closing(DiskObjectStore(source.quarantine)) as quarantine:
            yield OverlayObjectStore([quarantine, repo.object_store])


def _file(objects: BaseObjectStore, name: str, mode: int, sha: ObjectID) -> bytes | None:
    """A file's bytes, None for a directory of that name. Raises Invalid for a symlink or a huge file."""
    if mode == SYMLINK:
        raise Invalid(
            f"{name} is a symbolic link.", f"Commit the file itself under the name {name}.", reason=f"bad {name}"
        )
    found = objects[sha] if mode & 0o100000 else None
    if not isinstance(found, Blob):
        return None
    if found.raw_length() > LIMIT:
        raise Invalid(
            f"{name} is larger than {LIMIT // 1024} KiB ({found.raw_length()} bytes).",
            "Check what was committed under that name.",
            reason=f"bad {name}",
        )
    return found.data
