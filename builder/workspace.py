"""An app's workspace: the pushed tree synced into what the last build left of runtimes and dependencies."""

import fnmatch
import json
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from builder.parts import HOLDERS, outlives_a_build
from builder.source import Source
from mothership.errors import BuildFailed

OWNER = 1000
LINK, SUBMODULE = "120000", "160000"


@dataclass(frozen=True)
class Entry:
    """A file of a commit's tree: git's mode and blob id."""

    mode: str
    blob: str


class Workspace:
    """`<data>/workspaces/APP/app`, mounted at /app during a build. Nothing runs in it while it is synced."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = root / "app"
        self._known = root / "tree.json"
        self._unfinished = root / "unfinished"
        self._builders = root / "buildpacks"
        self._extras = root / "extras"

    def sync(self, source: Source, ignore: tuple[str, ...] = ()) -> None:
        """Make the workspace the commit's tree plus what outlives a build. Raises BuildFailed, OSError."""
        if source.no_cache or self._unfinished.exists():
            shutil.rmtree(self.app, ignore_errors=True)
        self.app.mkdir(parents=True, exist_ok=True)
        os.chown(self.app, OWNER, OWNER)
        tree = {path: entry for path, entry in read_tree(source).items() if not ignored(path, ignore)}
        before = self._load()
        self._known.unlink(missing_ok=True)
        self._drop(path for path in before if path not in tree)
        self._sweep(tree)
        stale = {path: entry for path, entry in tree.items() if not self._fresh(path, entry, before.get(path))}
        for path, data in _contents(source, stale):
            self._write(path, stale[path], data)
        self._save(tree)

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

    def _load(self) -> Mapping[str, list[object]]:
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

    def _sweep(self, tree: Mapping[str, Entry]) -> None:
        """Remove what is neither in the tree nor may outlive a build."""
        directories = {parent for path in tree for parent in _parents(path)}

        def clean(relative: str) -> None:
            with os.scandir(self.app / relative) as entries:
                for entry in list(entries):
                    path = f"{relative}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        inside = f"{path}/"
                        if outlives_a_build(inside):
                            continue
                        if inside in HOLDERS or path in directories:
                            clean(inside)
                        else:
                            shutil.rmtree(entry.path)
                    elif path not in tree:
                        Path(entry.path).unlink()

        clean("")

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


def read_tree(source: Source) -> dict[str, Entry]:
    """Every file of a commit (git-ls-tree(1)). Raises BuildFailed."""
    argv = ["git", *_where(source), "ls-tree", "-r", "-z", "--full-tree", source.tree]
    done = subprocess.run(argv, capture_output=True, env=git_environment(source), check=False)
    if done.returncode:
        raise BuildFailed(
            f"The commit {source.commit[:7]} can't be read: {done.stderr.decode(errors='replace').strip()}"
        )
    tree = {}
    for record in done.stdout.split(b"\0"):
        if record:
            head, _, path = record.partition(b"\t")
            mode, _, blob = head.decode().split(" ")
            if mode != SUBMODULE:
                tree[os.fsdecode(path)] = Entry(mode, blob)
    return tree


def git_environment(source: Source) -> dict[str, str]:
    """What lets git see objects that a push has not brought into the repository yet (git(1))."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    if source.quarantine:
        environment["GIT_OBJECT_DIRECTORY"] = source.quarantine
        environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(source.repository / "objects")
    return environment


def ignored(path: str, patterns: Iterable[str]) -> bool:
    """Whether .slugignore leaves a path out: gitignore's patterns without negation (Heroku, "Slug Compiler")."""
    names = [path, *(parent for parent in _parents(path))]
    for pattern in patterns:
        anchored, bare = pattern.startswith("/"), pattern.strip("/")
        for name in names:
            if fnmatch.fnmatchcase(name, bare) or (not anchored and fnmatch.fnmatchcase(name.rsplit("/", 1)[-1], bare)):
                return True
    return False


def slugignore(data: bytes) -> tuple[str, ...]:
    lines = (line.strip() for line in data.decode(errors="replace").splitlines())
    return tuple(line for line in lines if line.strip("/") and not line.startswith(("#", "!")))


def _where(source: Source) -> list[str]:
    return ["-c", "safe.directory=*", f"--git-dir={source.repository}"]


def _contents(source: Source, entries: Mapping[str, Entry]) -> Iterator[tuple[str, bytes]]:
    """The bytes of each file, from one git child (git-cat-file(1), --batch)."""
    if not entries:
        return
    argv = ["git", *_where(source), "cat-file", "--batch", "--buffer"]
    request = "".join(f"{entry.blob}\n" for entry in entries.values()).encode()
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=git_environment(source), bufsize=1 << 20
    ) as child:
        assert child.stdin and child.stdout
        feeder = _fed(child.stdin, request)
        for path in entries:
            size = int(child.stdout.readline().split()[2])
            yield path, child.stdout.read(size)
            child.stdout.read(1)
        feeder.join()


def _fed(pipe: IO[bytes], data: bytes) -> threading.Thread:
    """Write the request beside the reading, so that neither pipe fills up."""

    def feed() -> None:
        with pipe:
            pipe.write(data)

    thread = threading.Thread(target=feed)
    thread.start()
    return thread


def _parents(path: str) -> list[str]:
    pieces = path.split("/")[:-1]
    return ["/".join(pieces[: count + 1]) for count in range(len(pieces))]


def _mark(path: Path) -> list[int]:
    """What changes when anybody touches a file; ctime can't be set back."""
    try:
        found = path.lstat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_mode]
