"""The desk of one build: fresh copies of buildpacks, config vars as files, mirrors, and what is said back."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from builder.choose import Choice
from builder.mirrors import PLACES, Mirrors
from builder.packs import HERE as BUILDPACKS
from builder.packs import Pack
from builder.source import Source
from mothership.config import Settings
from mothership.engine import Bind
from mothership.errors import BuildFailed

RUNNER = Path(__file__).parent / "runner"
STACK_RUN = Path(__file__).parent / "stack" / "run" / "packages"
"""What the run image has beside Debian's base."""

OWNER = 1000
HIDDEN = re.compile(
    r"PATH|GIT_DIR|CPATH|CPPATH|LD_PRELOAD|LIBRARY_PATH|LD_LIBRARY_PATH|PYTHONHOME|NODE_PATH|IFS|JAVA_OPTS"
)
"""Config vars that would break a build; they reach the app only (Heroku, "Buildpack API")."""


class Desk:
    """Folders that a build's container sees, below `<data>/builds/.running/ID`."""

    def __init__(self, root: Path, out: Path) -> None:
        self.root = root
        self.out = out

    def said(self, name: str) -> str:
        """What the build left in a file of /out; "" when it left none."""
        return read(self.out / name)

    def clear(self) -> None:
        """Forget what was said, for another try."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        os.chown(self.out, OWNER, OWNER)

    def binds(self, workspace: Path, cache: Path) -> list[Bind]:
        mothership = self.root / "mothership"
        return [
            Bind(str(workspace), "/app"),
            Bind(str(cache), "/cache"),
            Bind(str(self.root / "env"), "/env", read_only=True),
            Bind(str(self.out), "/out"),
            Bind(str(self.root / "buildpack"), "/buildpack"),
            Bind(str(self.root / "runner"), "/runner", read_only=True),
            Bind(str(self.root / "plan"), "/plan", read_only=True),
            Bind(str(mothership), "/mothership", read_only=True),
            *(Bind(str(mothership / n), p, read_only=True) for n, p in PLACES.items() if (mothership / n).exists()),
        ]


@contextlib.contextmanager
def desk(settings: Settings, source: Source, choice: Choice, mirrors: Mirrors) -> Iterator[Desk]:
    """A desk that is gone when the build has ended. Raises BuildFailed, OSError."""
    root = settings.data / "builds" / ".running" / source.build_id
    try:
        for name in ("env", "out", "buildpack", "mothership"):
            (root / name).mkdir(parents=True, exist_ok=True)
        shutil.copytree(RUNNER, root / "runner", dirs_exist_ok=True)
        (root / "runner" / "shims" / "curl").chmod(0o755)
        shutil.copy(root / "runner" / "shims" / "curl", root / "runner" / "shims" / "wget")
        (root / "plan").write_text("".join(_line(pack, root / "buildpack") for pack in choice.buildpacks))
        # A buildpack whose build leaves a site has it served by the static one's scripts.
        shutil.copytree(BUILDPACKS / "static", root / "buildpack" / "static", dirs_exist_ok=True)
        shutil.copy(STACK_RUN, root / "mothership" / "stack-run")
        (root / "mothership" / "declared").write_text("".join(f"{name}\n" for name in choice.declares))
        for name, text in mirrors.files.items():
            (root / "mothership" / name).write_text(text)
        for key, value in source.config.items():
            if not HIDDEN.fullmatch(key):
                (root / "env" / key).write_text(value)
        _give(root)
        yield Desk(root, root / "out")
    finally:
        shutil.rmtree(root, ignore_errors=True)


def read(path: Path) -> str:
    """A small file that a build wrote; never one that a symlink leads to."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(file, "rb") as data:
        return data.read(1 << 20).decode(errors="replace")


def _line(pack: Pack, place: Path) -> str:
    """A buildpack's line for the runner; one that lies on this machine is copied to the desk."""
    if pack.kind in ("own", "server"):
        origin = BUILDPACKS / pack.place if pack.kind == "own" else Path(pack.place)
        if not origin.is_dir():
            raise BuildFailed(
                f"The buildpack {pack.label} is not on this server.",
                "An admin can mend [buildpacks] in mothership.toml.",
            )
        shutil.copytree(origin, place / pack.key, symlinks=True, dirs_exist_ok=True)
        if pack.kind == "own":
            shutil.copytree(BUILDPACKS / "shared", place / pack.key / "lib", dirs_exist_ok=True)
        return f"{pack.label}\town\t/buildpack/{pack.key}\t{pack.key}\n"
    return f"{pack.label}\t{pack.kind}\t{pack.place}\t{pack.key}\n"


def _give(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for path in (folder, *(f"{folder}/{name}" for name in names)):
            os.lchown(path, OWNER, OWNER)
