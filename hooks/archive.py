"""A tar or zip archive as a stream of files, each checked and all of it bounded: whatever it is, it is not trusted."""

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mothership.errors import Invalid, TooLarge

ENTRIES = 100_000
LONGEST_PATH, LONGEST_NAME = 4000, 255
HEADER = 1 << 20
"""Bytes that tar may spend on describing one file, and that a symlink may have."""

DIRECTORY = 16 << 20
"""Bytes that a zip's list of files may have."""

PACKED: tuple[tuple[bytes, Any], ...] = (
    (b"\x1f\x8b", lambda raw: gzip.GzipFile(fileobj=raw)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    (b"]\x00\x00", lzma.LZMAFile),
)
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
ZSTD = b"\x28\xb5\x2f\xfd"
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
NOISE = frozenset({"pax_global_header", "__MACOSX", ".DS_Store"})
"""What archivers add at the top, and nobody means."""

TAKEN = "A tar (plain, .gz, .bz2 or .xz) or a zip is taken."


@dataclass(frozen=True)
class File:
    """A file of an archive. `mode` is git's; `link` is where a symbolic link leads, `copy` what a hard link equals."""

    path: str
    mode: str
    size: int = 0
    data: "Content | None" = None
    link: str = ""
    copy: str = ""


def files(path: Path, limit: int) -> Iterator[File]:
    """The files of an archive in its order; `limit` is how many bytes it may unpack to. Raises Invalid, TooLarge.

    A file's data must be read before the next one is asked for.
    """
    with path.open("rb") as raw:
        head = raw.read(6)
        raw.seek(0)
        if not head:
            raise Invalid("The archive is empty.", "Nothing came: is the file there, and not empty?")
        if head.startswith(ZSTD):
            raise Invalid("That archive is packed with zstd, which is not taken.", TAKEN, reason="not an archive")
        with _explained():
            yield from _zip(raw, limit) if head.startswith(ZIP) else _tar(raw, head, limit)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what a damaged archive makes Python's readers raise into Invalid."""
    try:
        yield
    except (*DAMAGED, OSError, RuntimeError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise Invalid(
            f"That is not an archive, or it is damaged: {error}"[:300], TAKEN, reason="not an archive"
        ) from error


class Content:
    """A file's data."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """Some of it, b"" at its end. Raises Invalid, TooLarge."""
        with _explained():
            return self._file.read(size)


class _Member(tarfile.TarInfo):
    """A tar's member whose descriptions are bounded: tarfile reads them whole into memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        described = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
        if self.type in (*described, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK) and self.size > HEADER:
            raise TooLarge("A file's name or attributes in the archive are larger than 1 MiB.")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]


class _Bounded:
    """The unpacked bytes, which may not be more than `limit`."""

    def __init__(self, file: Any, limit: int) -> None:
        self._file, self._left, self._limit = file, limit, limit

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._limit)
        return data


def _tar(raw: IO[bytes], head: bytes, limit: int) -> Iterator[File]:
    packed = next((kind for magic, kind in PACKED if head.startswith(magic)), None)
    unpacked = packed(raw) if packed else raw
    bounded: Any = _Bounded(unpacked, limit)
    with tarfile.open(fileobj=bounded, mode="r|", tarinfo=_Member, encoding="utf-8") as archive:
        for count, member in enumerate(archive):
            _count(count)
            archive.members = []  # type: ignore[attr-defined]  # it would keep all of them
            name = _name(member.name, folder=member.isdir())
            if not name or member.isdir():
                continue
            if member.issym():
                yield File(name, "120000", link=member.linkname)
            elif member.islnk():
                yield File(name, "", copy=_name(member.linkname))
            elif member.isreg() and not member.issparse():
                mode = "100755" if member.mode & 0o100 else "100644"
                data = archive.extractfile(member)
                assert data
                yield File(name, mode, member.size, Content(data))
            else:
                raise _unwanted(name, "a sparse file" if member.isreg() else "a device, a pipe or the like")


def _zip(raw: IO[bytes], limit: int) -> Iterator[File]:
    end = zipfile._EndRecData(raw)  # type: ignore[attr-defined]
    if end and end[5] > DIRECTORY:
        raise TooLarge("The list of files in that zip is too long.", f"At most {ENTRIES} files are taken.")
    left = limit
    with zipfile.ZipFile(raw) as archive:
        for count, member in enumerate(archive.infolist()):
            _count(count)
            name = _name(member.filename.replace("\\", "/"), folder=member.is_dir())
            if not name or member.is_dir():
                continue
            if member.flag_bits & 1:
                raise Invalid("That zip is encrypted.", "Pack it without a password.", reason="not an archive")
            mode = member.external_attr >> 16
            left -= member.file_size
            if left < 0:
                raise _too_large(limit)
            # More bytes than announced are never given: zipfile stops there.
            with archive.open(member) as data:
                if stat.S_ISLNK(mode):
                    if member.file_size > LONGEST_PATH:
                        raise _unwanted(name, "a symbolic link that is too long")
                    yield File(name, "120000", link=data.read(LONGEST_PATH).decode(errors="surrogateescape"))
                elif stat.S_IFMT(mode) in (0, stat.S_IFREG):
                    yield File(name, "100755" if mode & 0o100 else "100644", member.file_size, Content(data))
                else:
                    raise _unwanted(name, "a device, a pipe or the like")


def _name(name: str, *, folder: bool = False) -> str:
    """A path in the archive as git would have it; "" for what is left out. Raises Invalid for one that leads out."""
    pieces = [piece for piece in name.split("/") if piece not in ("", ".")]
    if name.startswith("/") or ".." in pieces:
        raise _unwanted(name, "a path that leads out of the archive")
    if not pieces:
        return ""
    if any(len(piece.encode(errors="surrogateescape")) > LONGEST_NAME for piece in pieces) or len(name) > LONGEST_PATH:
        raise _unwanted(name, "a name that is too long")
    if any(character in name for character in "\0\n\r"):
        raise _unwanted(name, "a name with a line break or a NUL character")
    if any(piece.lower() == ".git" for piece in pieces) or pieces[0] in NOISE:
        return ""
    if name.endswith("/") and not folder:
        raise _unwanted(name, "a file whose name is a folder's")
    return "/".join(pieces)


def leads_out(path: str, target: str) -> bool:
    """Whether a symbolic link at `path` leads out of the root."""
    depth = path.count("/")
    if target.startswith("/") or not target or "\0" in target:
        return True
    for piece in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(piece, 1)
        if depth < 0:
            return True
    return False


def refuse_link(path: str) -> Invalid:
    return _unwanted(path, "a symbolic link that leads out of the archive")


def _count(count: int) -> None:
    if count >= ENTRIES:
        raise TooLarge(
            f"The archive has more than {ENTRIES} files.", "Leave dependencies out: the build installs them."
        )


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The archive unpacks to more than {limit >> 20} MiB.",
        "Leave dependencies and data out, or have an admin raise max_input_size in mothership.toml.",
    )


def _unwanted(name: str, what: str) -> Invalid:
    shown = "".join(character if character.isprintable() else "?" for character in name[:100])
    return Invalid(f"The archive has {what}: {shown}", "Nothing of it was taken.", reason="unsafe archive")
