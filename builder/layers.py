"""Deterministic layers: the same files make the same bytes (OCI Image Format, "Image Layer Filesystem Changeset")."""

import hashlib
import json
import os
import stat
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from builder.parts import Part, part
from builder.registry import Blob
from mothership.errors import BuildFailed

OWNER = 1000
TIME = 1577836800
"""The modification time of runtimes and dependencies, Unix seconds: 2020-01-01."""

LOWER = (Part.RUNTIME, Part.DEPENDENCIES)
CENSUS = "census"
LEFT_OUT = frozenset({".git", ".cache"})
Item = tuple[str, os.stat_result]


@dataclass(frozen=True)
class Cut:
    """A layer ready to be put: its blob, and the tar while it is still to be uploaded."""

    part: str
    blob: Blob
    tar: Path | None = None


class Layers:
    """Cuts an app's workspace. A part whose files nobody touched keeps its layer without being read again."""

    def __init__(self, root: Path, most: int = 0) -> None:
        """`most` is how many bytes the files of a layer may have, 0 for any number."""
        self._most = most
        self._app = root / "app"
        self._scratch = root / "layers"
        self._known = root / "layers.json"
        self._settled = root / "settled"
        self._marks: dict[str, str] = {}

    def cut(self, time: int) -> list[Cut]:
        """The layers of today's files, from the bottom up; empty parts have none. Raises OSError, BuildFailed.

        `time` is what the app's own files carry, Unix seconds: servers tell a changed file by it.
        """
        known = self._load()
        held: list[Item] = []
        app = list(_walk(self._app, "", held))
        counted = str(known.get(CENSUS, {}).get("mark", ""))
        if not counted or not self._settled.exists():
            self._marks = {CENSUS: census(self._app, [name for name, _ in held])}
        else:
            self._marks = {CENSUS: counted}
        if counted and counted == self._marks[CENSUS]:
            lower = [self._standing(each, known[each]) for each in LOWER if each in known]
        else:
            lower = [self._layer(each, items, known.get(each), TIME) for each, items in self._below(held) if items]
        return lower + ([self._layer(Part.APP, app, known.get(Part.APP), time)] if app else [])

    def keep(self, cuts: Iterable[Cut]) -> None:
        """Remember the layers that are in the registry now, and drop their tars."""
        known = {
            cut.part: {"mark": self._marks[cut.part], **asdict(cut.blob)} for cut in cuts if cut.part in self._marks
        }
        known[CENSUS] = {"mark": self._marks[CENSUS]}
        scratch = self._known.with_suffix(".new")
        scratch.write_text(json.dumps(known))
        scratch.rename(self._known)
        self._settled.touch()
        self.sweep()

    def unsettle(self) -> None:
        """Something is about to work in the runtimes and dependencies: until the next `keep`, they are looked at."""
        self._settled.unlink(missing_ok=True)

    def forget(self) -> None:
        """Cut everything anew next time."""
        self.unsettle()
        self._known.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove tars that were not uploaded."""
        for tar in self._scratch.glob("*.tar"):
            tar.unlink()

    def _below(self, held: Iterable[Item]) -> Iterator[tuple[Part, list[Item]]]:
        """Runtimes and dependencies, each with all that is in the directories of both."""
        items: dict[Part, list[Item]] = {each: [] for each in LOWER}
        for directory in held:
            for name, found in (directory, *_walk(self._app, f"{directory[0]}/")):
                items[part(f"{name}/" if stat.S_ISDIR(found.st_mode) else name)].append((name, found))
        yield from items.items()

    def _standing(self, each: Part, known: Mapping[str, object]) -> Cut:
        """The layer of last time."""
        self._marks[each] = str(known["mark"])
        return Cut(each, _blob(known))

    def _layer(self, each: Part, files: list[Item], known: Mapping[str, object] | None, time: int) -> Cut:
        mark = fingerprint(files)
        self._marks[each] = mark
        if known and known.get("mark") == mark:
            return Cut(each, _blob(known))
        if 0 < self._most < sum(found.st_size for _, found in files):  # holes in a file took no room until now
            raise BuildFailed(
                f"The files that the build left are larger than {self._most >> 20} MB.",
                "An admin can raise build_disk in mothership.toml.",
                reason="build wrote too much",
            )
        self._scratch.mkdir(parents=True, exist_ok=True)
        path = self._scratch / f"{each}.tar"
        return Cut(each, write_tar(path, self._app, files, time=time), path)

    def _load(self) -> dict[str, dict[str, object]]:
        try:
            return dict(json.loads(self._known.read_text()))
        except (OSError, ValueError):
            return {}


def _blob(known: Mapping[str, object]) -> Blob:
    return Blob(str(known["digest"]), int(str(known["size"])), str(known["diff_id"]))


def census(root: Path, directories: Sequence[str]) -> str:
    """A hash of what the file system says of all that is in these directories (find(1)): quick, for tens of thousands.

    It may change when nothing else does, since the order is the file system's. "" when it can't be taken.
    """
    if not directories:
        return "nothing"
    argv = ["find", "-files0-from", "-", "-printf", "%p\\0%s %T@ %C@ %i %m %y\\0"]
    places = os.fsencode("\0".join(f"./{name}" for name in directories))
    done = subprocess.run(argv, input=places, cwd=root, capture_output=True, check=False)
    return "" if done.returncode else hashlib.sha256(done.stdout).hexdigest()


def fingerprint(files: Iterable[Item]) -> str:
    """A hash of what the file system says of the files, without reading them; ctime can't be set back."""
    digest = hashlib.sha256()
    for name, found in files:
        facts = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_mode)
        digest.update(f"{name}\0{facts}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def write_tar(path: Path, root: Path, files: Iterable[Item], prefix: str = "app", *, time: int = TIME) -> Blob:
    """Write files below `root` as a tar with one owner and one time. Nothing is followed out of the root."""
    with path.open("wb") as file:
        hashing = _Hashing(file)
        with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 20) as tar:  # type: ignore[call-overload]
            tar.addfile(_directory(prefix))
            for name, found in files:
                _add(tar, root, name, found, prefix, time)
    digest = f"sha256:{hashing.digest.hexdigest()}"
    return Blob(digest, hashing.size, digest)


def write_single(path: Path, name: str, source: Path) -> Blob:
    """Write one root-owned executable as a layer; who is reading the former one reads it to its end."""
    scratch = path.with_name(f"{path.name}.new")
    with scratch.open("wb") as file:
        hashing = _Hashing(file)
        with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as tar, source.open("rb") as data:  # type: ignore[call-overload]
            folder = _directory(name.split("/")[0])
            folder.uid = folder.gid = 0
            tar.addfile(folder)
            info = tarfile.TarInfo(name)
            info.mode, info.mtime, info.size = 0o755, TIME, source.stat().st_size
            tar.addfile(info, data)
    scratch.rename(path)
    digest = f"sha256:{hashing.digest.hexdigest()}"
    return Blob(digest, hashing.size, digest)


class _Hashing:
    """A file that is hashed as it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)


def _walk(root: Path, relative: str, held: list[Item] | None = None) -> Iterator[Item]:
    """Every file and directory in byte order, depth first; nothing is followed, sockets and devices are left out.

    With `held`, directories of runtimes and dependencies go there instead.
    """
    with os.scandir(root / relative) as entries:
        found = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in found:
        name = f"{relative}{entry.name}"
        status = entry.stat(follow_symlinks=False)
        if not relative and entry.name in LEFT_OUT:
            continue
        if stat.S_ISDIR(status.st_mode):
            if held is not None and part(f"{name}/") is not Part.APP:
                held.append((name, status))
                continue
            yield name, status
            yield from _walk(root, f"{name}/", held)
        elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            yield name, status


def _add(tar: tarfile.TarFile, root: Path, name: str, found: os.stat_result, prefix: str, time: int) -> None:
    info = tarfile.TarInfo(f"{prefix}/{name}")
    info.uid = info.gid = OWNER
    info.mtime = time
    if stat.S_ISLNK(found.st_mode):
        info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, str((root / name).readlink())
        tar.addfile(info)
    elif stat.S_ISDIR(found.st_mode):
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(info)
    else:
        info.mode = 0o755 if found.st_mode & 0o100 else 0o644
        file = os.open(root / name, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(file, "rb") as data:
            info.size = os.fstat(data.fileno()).st_size
            tar.addfile(info, data)


def _directory(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, TIME
    info.uid = info.gid = OWNER
    return info
