"""Bare git repositories, one per app, in the data directory."""

import asyncio
import secrets
import shutil
from pathlib import Path

from dulwich.repo import Repo


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

    async def delete(self, app: str) -> None:
        await asyncio.to_thread(shutil.rmtree, self.path(app), ignore_errors=True)

    def ref(self, app: str, name: str) -> str:
        """The commit a ref points at, "" when there is no such ref."""
        with Repo(str(self.path(app))) as repo:
            return repo.refs.as_dict().get(name.encode(), b"").decode()  # type: ignore[call-overload,no-any-return]

    def set_ref(self, app: str, name: str, commit: str) -> None:
        """Point a ref at a commit; used to mend what a crash between verdict and ref write left behind."""
        with Repo(str(self.path(app))) as repo:
            repo.refs[name.encode()] = commit.encode()  # type: ignore[index,assignment]

    def has(self, app: str, commit: str) -> bool:
        """Whether the repository holds a commit."""
        with Repo(str(self.path(app))) as repo:
            return commit.encode() in repo.object_store  # type: ignore[operator]

    def sweep(self) -> int:
        """Delete the quarantine directories of pushes that died with an earlier daemon; how many there were."""
        left = list(self._root.glob("*.git/objects/tmp_objdir-incoming-*"))
        for path in left:
            shutil.rmtree(path, ignore_errors=True)
        return len(left)
