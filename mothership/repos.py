"""Bare git repositories, one per app, in the data directory."""

import asyncio
import os
import secrets
import shutil
from pathlib import Path

from dulwich.object_store import DiskObjectStore
from dulwich.repo import Repo

QUARANTINE = "tmp_objdir-incoming-*"
"""Where git receive-pack keeps new objects until the refs may move (git-receive-pack(1), "QUARANTINE ENVIRONMENT")."""


class Repos:
    """`<data>/repos/APP.git`."""

    def __init__(self, data: Path) -> None:
        self._root = data / "repos"

    def path(self, app: str) -> Path:
        return self._root / f"{app}.git"

    async def create(self, app: str, *, branch: str = "main") -> Path:
        """Make an empty bare repository whose HEAD is the deploy branch; an existing one is left alone."""
        path = self.path(app)
        if (path / "HEAD").exists():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two first pushes may arrive at once: each makes its own, and the first to be complete takes the name.
        scratch = path.with_name(f".{app}.{secrets.token_hex(4)}")
        argv = ["git", "init", "--quiet", "--bare", f"--initial-branch={branch}", "--template=", str(scratch)]
        child = await asyncio.create_subprocess_exec(*argv)
        if await child.wait():
            raise OSError(f"git could not make the repository {path}")
        try:
            scratch.rename(path)
        except OSError:
            shutil.rmtree(scratch)
            if not (path / "HEAD").exists():
                raise
        return path

    async def copy(self, app: str, other: str) -> None:
        """The same repository under another name; unchanging files are shared, not doubled."""
        shutil.rmtree(self.path(other), ignore_errors=True)
        await asyncio.to_thread(shutil.copytree, self.path(app), self.path(other), copy_function=_share, symlinks=True)

    async def delete(self, app: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self.path(app), ignore_errors=True)

    def ref(self, app: str, name: str) -> str:
        """The commit a ref points at, "" when there is no such ref."""
        with Repo(str(self.path(app))) as repo:
            return repo.refs.as_dict().get(name.encode(), b"").decode()  # type: ignore[call-overload,no-any-return]

    def refs(self, app: str, prefix: str) -> list[str]:
        """The refs whose names begin so, sorted."""
        with Repo(str(self.path(app))) as repo:
            return sorted(name.decode() for name in repo.refs.allkeys() if name.startswith(prefix.encode()))

    def at(self, app: str, name: str, commit: str) -> bool:
        """Whether a ref points at a commit; all zeros mean that there is no such ref."""
        return (self.ref(app, name) or "0" * len(commit)) == commit

    def set_ref(self, app: str, name: str, commit: str) -> None:
        """Point a ref at a commit, or take it away when that is all zeros, where a push did not end as it began."""
        with Repo(str(self.path(app))) as repo:
            if not commit.strip("0"):
                del repo.refs[name.encode()]  # type: ignore[arg-type]
                return
            repo.refs[name.encode()] = commit.encode()  # type: ignore[index,assignment]

    def has(self, app: str, commit: str) -> bool:
        """Whether the repository holds a commit."""
        with Repo(str(self.path(app))) as repo:
            return commit.encode() in repo.object_store  # type: ignore[operator]

    def graft(self, app: str, commit: str) -> None:
        """Note that a commit's parents are not in the repository, if they aren't (gitrepository-layout, "shallow")."""
        path = self.path(app) / "shallow"
        known = path.read_text().split() if path.exists() else []
        with Repo(str(self.path(app))) as repo:
            found = repo.object_store[commit.encode()]  # type: ignore[index]
            whole = all(parent in repo.object_store for parent in getattr(found, "parents", ()))
        if not whole and commit not in known:
            scratch = path.with_suffix(".new")
            scratch.write_text("".join(f"{each}\n" for each in [*known, commit]))
            scratch.rename(path)

    def rescue(self, app: str, commit: str) -> bool:
        """Make sure that the repository holds a commit whose push was accepted, from its quarantine if need be.

        A quarantine is complete and checked by the time its push is accepted; git's own next step, which a crash
        can prevent, is to move its files into the repository.
        """
        if not self.path(app).exists():
            return False
        for quarantine in self.path(app).glob(f"objects/{QUARANTINE}"):
            if not self.has(app, commit) and commit.encode() in DiskObjectStore(str(quarantine)):  # type: ignore[operator]
                adopt(quarantine)
        return self.has(app, commit)

    def sweep(self) -> int:
        """Delete what pushes left that died with an earlier daemon; how many quarantine directories there were."""
        for scratch in self._root.glob(".*.????????"):
            shutil.rmtree(scratch, ignore_errors=True)
        left = list(self._root.glob(f"*.git/objects/{QUARANTINE}"))
        for path in left:
            shutil.rmtree(path, ignore_errors=True)
        return len(left)


def _share(source: str, target: str) -> None:
    """Objects and packs never change, so that a second name for them is as good as a copy."""
    if "/objects/" in source:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def adopt(quarantine: Path) -> None:
    """Move a quarantine's objects into its repository; a pack's index comes last, so that no pack is seen half."""
    objects = quarantine.parent
    found = [path for path in quarantine.rglob("*") if path.is_file()]
    for path in sorted(found, key=lambda path: path.suffix == ".idx"):
        place = objects / path.relative_to(quarantine)
        place.parent.mkdir(exist_ok=True)
        if not place.exists():
            path.rename(place)
