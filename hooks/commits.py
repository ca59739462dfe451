"""An archive becomes a commit in an app's repository, in a quarantine of its own until the commit serves."""

import asyncio
import os
import re
import secrets
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from builder.thread import in_thread
from hooks import archive
from mothership.errors import BuildFailed, Invalid, MothershipError, TooLarge
from mothership.repos import adopt

CHUNK = 1 << 18
REF = "refs/mothership/deploys"
"""Where what was deployed without a push is kept, by the id of its build."""

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
STRICT = "--strict=zeroPaddedFilemode=warn,badTimezone=warn,missingSpaceBeforeDate=warn"
"""As strict as a push is taken."""

UNPACKED = 4
"""How many times max_input_size an archive or a commit may unpack to."""


@contextmanager
def quarantine(repository: Path) -> Iterator[Path]:
    """A folder for new objects, as git receive-pack makes one; what is not adopted from it is gone afterwards."""
    place = repository / "objects" / f"tmp_objdir-incoming-{secrets.token_hex(4)}"
    (place / "pack").mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def keep(place: Path) -> None:
    """Move a quarantine's objects into the repository."""
    adopt(place)


async def from_archive(path: Path, repository: Path, place: Path, *, author: str, message: str, limit: int) -> str:
    """The commit of an archive's files, its objects in the quarantine. Raises Invalid, TooLarge.

    A folder that is all the archive has is taken for the root. A cancellation stops it within a moment.
    """
    stopped = threading.Event()
    work = asyncio.ensure_future(in_thread(_commit, path, repository, place, author, message, limit, stopped.is_set))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.wait([work])
        raise


async def from_pack(pack: Path, commit: str, repository: Path, place: Path, *, shallow: bool, limit: int) -> None:
    """Take a commit's objects from a pack, each checked (git-index-pack(1)). Raises Invalid.

    `shallow` says that its parents are not in it.
    """
    if not COMMIT.fullmatch(commit):
        raise Invalid("What was pulled has no commit.", reason="no commit")
    grafts = place / "shallow"
    grafts.write_text(f"{commit}\n" * shallow)
    argv = [
        *_git(repository, "--shallow-file", str(grafts)),
        "index-pack",
        "--stdin",
        STRICT,
        f"--max-input-size={limit}",
    ]
    with _opened(pack) as data:
        child = await asyncio.create_subprocess_exec(
            *argv, stdin=data, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_environment(repository, place)
        )
        try:
            _, said = await child.communicate()
        finally:
            await _ended(child)
            grafts.unlink()
    if child.returncode:
        raise Invalid(f"What was pulled could not be taken: {_last(said)}", reason="bad objects")


async def spooled(folder: Path, data: AsyncIterator[bytes], limit: int) -> Path:
    """What a caller sends, in a file for whoever takes it to delete; memory stays flat. Raises TooLarge."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"upload-{secrets.token_hex(8)}"
    size = 0
    try:
        with path.open("xb") as file:
            async for piece in data:
                size += len(piece)
                if size > limit:
                    raise TooLarge(
                        f"That is more than the {limit >> 20} MiB that the server takes.",
                        "Leave dependencies and data out, or have an admin raise max_input_size in mothership.toml.",
                    )
                file.write(piece)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, ConnectionError):
            raise BuildFailed(f"The upload could not be kept: {error.strerror}.", reason="disk full") from error
        raise
    return path


def _commit(
    path: Path, repository: Path, place: Path, author: str, message: str, limit: int, stopped: Callable[[], bool]
) -> str:
    scratch = place / "import"
    subprocess.run(["git", "init", "--quiet", "--bare", "--template=", str(scratch)], check=True, env=_bare())
    argv = _git(scratch, "fast-import", "--quiet", "--done", "--date-format=now")
    child = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=_environment(repository, place),
    )
    assert child.stdin and child.stderr
    try:
        links = _stream(path, child.stdin, author, message, limit * UNPACKED, stopped)
        child.stdin.close()
        said = child.stderr.read()
        if child.wait():
            raise OSError(f"git fast-import failed: {_last(said)}")
    except BrokenPipeError as error:
        raise OSError(f"git fast-import failed: {_last(child.stderr.read())}") from error
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    made = _rooted(scratch, repository, place, links, author, message)
    shutil.rmtree(scratch)
    return made


def _stream(
    path: Path, out: IO[bytes], author: str, message: str, limit: int, stopped: Callable[[], bool]
) -> dict[str, str]:
    """Feed git-fast-import(1); the symbolic links by their paths. Raises Invalid."""
    blobs: dict[str, tuple[int, str]] = {}
    links: dict[str, str] = {}
    for mark, file in enumerate(archive.files(path, limit), 1):
        if stopped():
            raise MothershipError("Cancelled.", reason="cancelled")
        if file.copy:
            if file.copy not in blobs:
                raise Invalid(f"The archive has a hard link to what it does not have: {file.copy[:100]}")
            blobs[file.path] = blobs[file.copy]
            links.pop(file.path, None)
            continue
        out.write(b"blob\nmark :%d\n" % mark)
        if file.link:
            target = os.fsencode(file.link)
            out.write(b"data %d\n%s\n" % (len(target), target))
            links[file.path] = file.link
        else:
            links.pop(file.path, None)
            _copy(file, out, stopped)
        blobs[file.path] = (mark, file.mode)
    if not blobs:
        raise Invalid("The archive has no files.", "Pack the app's source: tar czf app.tar.gz .", reason="no files")
    text = message.encode()
    out.write(b"commit refs/import\ncommitter %s now\ndata %d\n%s\n" % (_identity(author), len(text), text))
    for name, (mark, mode) in blobs.items():
        out.write(b"M %s :%d %s\n" % (mode.encode(), mark, _quoted(name)))
    out.write(b"done\n")
    return links


def _copy(file: archive.File, out: IO[bytes], stopped: Callable[[], bool]) -> None:
    assert file.data
    out.write(b"data %d\n" % file.size)
    left = file.size
    while left:
        if stopped():
            raise MothershipError("Cancelled.", reason="cancelled")
        data = file.data.read(min(CHUNK, left))
        if not data:
            raise Invalid("The archive ends in the middle of a file.", reason="not an archive")
        out.write(data)
        left -= len(data)
    out.write(b"\n")


def _rooted(scratch: Path, repository: Path, place: Path, links: dict[str, str], author: str, message: str) -> str:
    """The commit, its root the archive's one folder if that is all there is. Raises Invalid for links that lead out."""

    def git(*words: str) -> str:
        done = subprocess.run(
            _git(scratch, *words),
            env=_environment(repository, place) | _person(author),
            capture_output=True,
            check=True,
        )
        return os.fsdecode(done.stdout).strip()

    top = git("ls-tree", "-z", "refs/import").rstrip("\0").split("\0")
    folder = ""
    if len(top) == 1 and top[0].startswith("040000"):
        folder = top[0].partition("\t")[2] + "/"
    for name, target in links.items():
        if archive.leads_out(name.removeprefix(folder), target):
            raise archive.refuse_link(name)
    if not folder:
        return git("rev-parse", "refs/import")
    return git("commit-tree", top[0].split()[2], "-m", message)


def _git(repository: Path, *words: str) -> list[str]:
    return ["git", "-c", "safe.directory=*", f"--git-dir={repository}", *words]


def _bare() -> dict[str, str]:
    known = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    return known | {"GIT_CONFIG_NOSYSTEM": "1"}


def _environment(repository: Path, place: Path) -> dict[str, str]:
    """New objects go into the quarantine, beside those of the repository (git(1))."""
    objects = {"GIT_OBJECT_DIRECTORY": str(place), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository / "objects")}
    return _bare() | objects


def _person(name: str) -> dict[str, str]:
    return {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", f"{name}@mothership"))
    }


def _identity(name: str) -> bytes:
    clean = re.sub(r"[<>\n\0]", "", name) or "mothership"
    return f"{clean} <{clean}@mothership>".encode(errors="replace")


def _quoted(name: str) -> bytes:
    """A path as git-fast-import(1) takes it."""
    return b'"' + os.fsencode(name).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A file that a container wrote; never one that a symlink leads to."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield file
    finally:
        os.close(file)


def _last(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it does not say why."


async def _ended(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.kill()
        await child.wait()
