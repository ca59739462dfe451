"""Makes a minimal Debian root file system with mmdebstrap, from the mirrors this machine already uses."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from builder.stack.plan import SUITE
from builder.stack.process import run
from mothership.config import Settings

MIRROR_VARIABLE = "MOTHERSHIP_DEBIAN_MIRROR"
MAIN, SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
UNWANTED = ("/usr/share/man/*/*", "/usr/share/doc/*/*", "/usr/share/locale/*/*", "/usr/share/info/*")
"""Files that need no place in a container; copyright notices stay, and so do directories that packages expect."""

REMEDY = (
    f"Check that this machine reaches a Debian mirror; name another one with {MIRROR_VARIABLE}=http://host/debian, "
    "then run the command again."
)


@dataclass(frozen=True)
class Mirrors:
    """Where packages and their security updates come from."""

    main: str = MAIN
    security: str = SECURITY

    def sources(self) -> tuple[str, ...]:
        """One-line sources (sources.list(5)) of the suite."""
        return (
            f"deb {self.main} {SUITE} main",
            f"deb {self.main} {SUITE}-updates main",
            f"deb {self.security} {SUITE}-security main",
        )


def host_mirrors(settings: Settings, etc: Path = Path("/etc")) -> Mirrors:
    """The mirror the settings or the environment name, else the one a Debian host uses, else the public one."""
    named = settings.build_env.get(MIRROR_VARIABLE) or os.environ.get(MIRROR_VARIABLE)
    if named:
        return Mirrors(named.rstrip("/"), named.rstrip("/") + "-security")
    release = etc / "os-release"
    if not release.exists() or not re.search(r"^ID=debian$", release.read_text(), re.MULTILINE):
        return Mirrors()
    apt = etc / "apt"
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    return mirrors_in(file.read_text() for file in files if file.suffix in (".list", ".sources") and file.is_file())


def mirrors_in(texts: Iterable[str]) -> Mirrors:
    """The first Debian archive and security archive that apt sources (one-line or deb822) name."""
    active = (re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE) for text in texts)
    uris = [uri.rstrip("/") for text in active for uri in re.findall(r"https?://\S+", text)]
    main = next((uri for uri in uris if uri.endswith("/debian")), MAIN)
    return Mirrors(main, next((uri for uri in uris if uri.endswith("/debian-security")), SECURITY))


def mmdebstrap(mirrors: Mirrors, tar: Path, *, keyring: Path = KEYRING) -> tuple[str, ...]:
    """The command that makes the root file system (mmdebstrap(1))."""
    excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in UNWANTED]
    return (
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        f"--keyring={keyring}",
        *excluded,
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        SUITE,
        str(tar),
        *mirrors.sources(),
    )


async def make_base(settings: Settings, tar: Path) -> None:
    """Write the base system's root file system into a tar file. Raises BuildFailed."""
    env = {**os.environ, **settings.build_env, "TMPDIR": str(tar.parent), "LC_ALL": "C.UTF-8"}
    await run(
        mmdebstrap(host_mirrors(settings), tar),
        env=env,
        what="Making the base system",
        remedy=REMEDY,
        on_line=lambda line: line,
    )
