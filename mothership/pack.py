"""The user's side of a deploy without a push: which files of a folder go, as a tar that is written while it is sent."""

import gzip
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from mothership.errors import Invalid

LEFT_OUT = frozenset({".env"})
"""Files that hold secrets of a developer's machine, as a rule: config:set is for those."""


@dataclass(frozen=True)
class Files:
    """What of a folder goes along, by relative paths, and what was left out though git would have taken it."""

    root: Path
    names: tuple[str, ...]
    left_out: tuple[str, ...]


def files(root: Path, *, everything: bool) -> Files:
    """The files of a folder: those that git tracks or would add (.gitignore), never .git, and not .env unless asked.

    Without git on this machine, all of them but .git. Raises Invalid.
    """
    if not root.is_dir():
        raise Invalid(f"{root} is not a folder.", "For an archive: --tar FILE")
    found = sorted(set(_listed(root)))
    kept = [name for name in found if everything or name.rpartition("/")[2] not in LEFT_OUT]
    if not kept:
        raise Invalid(f"{root} has no files to deploy.", "Does .gitignore leave all of them out?")
    return Files(root, tuple(kept), tuple(name for name in found if name not in set(kept)))


def write(chosen: Files, out: IO[bytes]) -> None:
    """Write the files as a tar. What goes meanwhile is left out. Raises Invalid, BrokenPipeError."""
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in chosen.names:
            try:
                tar.add(chosen.root / name, arcname=name, recursive=False, filter=_plain)
            except BrokenPipeError:
                raise
            except OSError as error:
                raise Invalid(f"{chosen.root / name} can't be read: {error.strerror}.") from error


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """A member without its owner; sockets, pipes and devices stay here."""
    if not (info.isreg() or info.issym() or info.islnk()):
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _listed(root: Path, prefix: str = "") -> Iterator[str]:
    """Names below a folder. A repository within it is one of its own to git, and so are its ignored files."""
    for name in _git(root) or _walked(root):
        path = root / name
        if path.is_dir() and not path.is_symlink():
            yield from _listed(path, f"{prefix}{name.rstrip('/')}/")
        elif path.is_symlink() or path.is_file():
            yield f"{prefix}{name}"


def _git(root: Path) -> list[str]:
    """What git tracks or would add; in a folder that is no work tree too, for its .gitignore. [] without git."""
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."]
    try:
        inside = _asked(["git", "-C", str(root), "rev-parse", "--is-inside-work-tree"])
        if inside.strip() == b"true":
            return _names(_asked(["git", "-C", str(root), *listing]))
        with TemporaryDirectory() as scratch:
            _asked(["git", "init", "--quiet", "--bare", scratch])
            where = [f"--git-dir={scratch}", f"--work-tree={root}", "-c", "core.bare=false"]
            return _names(_asked(["git", *where, *listing], cwd=root))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _asked(argv: list[str], **options: Any) -> bytes:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, **options)
    return done.stdout if not done.returncode else b""


def _names(listed: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        below = Path(folder).relative_to(root)
        yield from (str(below / name) for name in names)
        yield from (str(below / name) for name in folders if (Path(folder) / name).is_symlink())
