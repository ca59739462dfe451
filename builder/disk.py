"""A full disk, said in the user's words."""

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mothership.errors import BuildFailed

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
LEAST = 1024 * 1024
"""Bytes; with less than this left, a failed build is put down to the disk."""


def disk_full(path: Path) -> BuildFailed:
    """The error for a disk that filled up during a build."""
    return BuildFailed(
        f"The server's disk is full ({path}), so the build could not be finished. The running release is untouched.",
        f"An admin can see what takes the space on the server with: du -xsh {path}/* and docker system df",
        reason="disk full",
    )


def is_full(path: Path) -> bool:
    """Whether there is practically no room left where `path` is."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize < LEAST or (found.f_files > 0 and found.f_favail == 0)


@contextmanager
def full_disk_explained(path: Path) -> Iterator[None]:
    """Turn "no space left on device" into a BuildFailed that says so."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(path) from error
        raise


def folder_size(folder: Path) -> int:
    """The bytes of all files below a folder; what goes meanwhile doesn't count."""
    size = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(OSError):
                size += os.lstat(f"{place}/{name}").st_size
    return size
