"""A commit's tree as git has it: its files, what .slugignore leaves out, and their contents."""

import fnmatch
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from builder.parts import parents
from builder.source import Source
from mothership.errors import BuildFailed, Invalid

SUBMODULE = "160000"
PATTERNS = 1000


@dataclass(frozen=True)
class Entry:
    """A file of a commit's tree: git's mode and blob id."""

    mode: str
    blob: str


def read_tree(source: Source, ignore: tuple[str, ...] = ()) -> dict[str, Entry]:
    """Every file of a commit but what is ignored (git-ls-tree(1)). Raises BuildFailed."""
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
            if mode != SUBMODULE and not ignored(os.fsdecode(path), ignore):
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
    names = [path, *(parent for parent in parents(path))]
    for pattern in patterns:
        anchored, bare = pattern.startswith("/"), pattern.strip("/")
        for name in names:
            if fnmatch.fnmatchcase(name, bare) or (not anchored and fnmatch.fnmatchcase(name.rsplit("/", 1)[-1], bare)):
                return True
    return False


def slugignore(data: bytes) -> tuple[str, ...]:
    """The patterns of a .slugignore file. Raises Invalid for more than anybody means."""
    lines = (line.strip() for line in data.decode(errors="replace").splitlines())
    patterns = tuple(line for line in lines if line.strip("/") and not line.startswith(("#", "!")))
    if len(patterns) > PATTERNS:
        raise Invalid(
            f".slugignore has {len(patterns)} patterns; {PATTERNS} are the most.",
            "Name folders instead of the files in them.",
            reason="bad .slugignore",
        )
    return patterns


def _where(source: Source) -> list[str]:
    return ["-c", "safe.directory=*", f"--git-dir={source.repository}"]


def contents(source: Source, entries: Mapping[str, Entry]) -> Iterator[tuple[str, bytes]]:
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
