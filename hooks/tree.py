"""A commit's tree, read no further than a build may grow: a few of git's objects can name more than a disk holds."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from builder import Source
from builder.tree import git_environment
from mothership.errors import BuildFailed, TooLarge

MOST_FILES = 500_000
LONGEST = 4096
"""Bytes of a path (PATH_MAX)."""

CHUNK = 1 << 16


def gitlinks(source: Source, commit: str, limit: int) -> dict[str, str]:
    """The gitlinks of a commit, by their paths. Raises TooLarge for more files, or more bytes in them, than `limit`."""
    found, count, size = {}, 0, 0
    with _listing(source, commit) as out:
        for entry in _records(out):
            head, _, path = entry.partition(b"\t")
            mode, _, name, length = head.split()
            if mode == b"160000":
                found[os.fsdecode(path)] = name.decode()
                continue
            count += 1
            size += int(length)
            if count > MOST_FILES or size > limit:
                raise TooLarge(
                    f"The files of {source.known[:7]} are more than {MOST_FILES} or unpack to more than "
                    f"{limit >> 20} MiB.",
                    "Leave dependencies and data out, or have an admin raise max_input_size in mothership.toml.",
                )
    return found


@contextmanager
def _listing(source: Source, commit: str) -> Iterator[IO[bytes]]:
    """What git-ls-tree(1) prints, for as long as it is read. Raises BuildFailed."""
    argv = ["git", "-c", "safe.directory=*", f"--git-dir={source.repository}"]
    argv += ["ls-tree", "-r", "-l", "-z", "--full-tree", commit]
    with subprocess.Popen(
        argv, env=git_environment(source), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout
        try:
            yield child.stdout
            if child.wait():
                raise BuildFailed(f"The commit {commit[:7]} can't be read.")
        finally:
            child.kill()


def _records(out: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while data := out.read(CHUNK):
        *whole, rest = (rest + data).split(b"\0")
        if len(rest) > LONGEST + 200:
            raise BuildFailed("A path of the commit is too long.", reason="path too long")
        yield from whole
