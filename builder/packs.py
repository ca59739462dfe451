"""Buildpacks by name: what a name given by an app, a commit or an admin stands for."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mothership.errors import Invalid

BUILT_IN = ("ruby", "python", "php", "java", "go", "rust", "deno", "bun", "node", "static")
"""In the order they are tried. A package.json beside another language's own file is for that app's assets."""

SHORT = {**{name: name for name in BUILT_IN}, "nodejs": "node", "gradle": "java", "jvm": "java", "apt": "apt"}
URL = re.compile(r"(https?|git|ssh)://[^\s]+|[A-Za-z0-9_.-]+@[^\s/:]+:[^\s]+")
TARBALL = re.compile(r"\.(tgz|tar|tar\.(gz|xz|bz2|zst)|tbz2|txz|zip)$")
REGISTERED = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*", re.IGNORECASE)
REGISTRY = "https://buildpack-registry.s3.amazonaws.com/buildpacks/{}.tgz"
"""Where Heroku keeps the buildpacks that have a short name (Heroku, "Buildpack Registry")."""

HERE = Path(__file__).parent / "buildpacks"


@dataclass(frozen=True)
class Pack:
    """A buildpack: `kind` is own (ours), app (a folder of the commit), server (a folder of this machine), git or tar.

    `key` names its cache; the same buildpack at another ref keeps its cache. `label` has no credentials in it.
    """

    label: str
    kind: str
    place: str
    key: str


def own(name: str) -> Pack:
    """One of the built-in buildpacks."""
    return Pack(name, "own", name, name)


def pack(name: str, configured: Mapping[str, str] | None = None) -> Pack:
    """The buildpack of a name. `configured` are the names an admin gave a meaning. Raises Invalid."""
    given = name.strip()
    if configured and given in configured:
        return _placed(configured[given], label=given)
    if given == "heroku-community/apt":
        return own("apt")
    short = given.removeprefix("heroku/").removeprefix("mothership/")
    if short in SHORT:
        return own(SHORT[short])
    for prefix in ("https://github.com/heroku/heroku-buildpack-", "urn:buildpack:heroku/"):
        known = given.partition("#")[0].removeprefix(prefix).removesuffix(".git")
        if given.startswith(prefix) and known in SHORT:
            return own(SHORT[known])
    if given.startswith("./") and given.isprintable():
        return _inside(given)
    if URL.fullmatch(given) and given.isprintable():
        return _placed(given)
    if REGISTERED.fullmatch(given):
        return _placed(REGISTRY.format(given), label=given)
    known = ", ".join(f"heroku/{known}" for known in SHORT)
    raise Invalid(
        f"{printable(given)!r} is not a buildpack.",
        f"Built in: {known}. Others by URL: https://host/buildpack.git#ref, or a folder of the commit: ./buildpack",
        reason="unknown buildpack",
    )


def printable(given: str) -> str:
    """A name as it may be shown: without the user and password of a URL, and not endless."""
    return re.sub(r"(://)[^/@\s]*@", r"\1", given)[:120]


def _placed(given: str, label: str = "") -> Pack:
    """A buildpack at a URL, or in a folder of this machine that an admin named."""
    shown = label or printable(given)
    if given.startswith(("/", "file:///")):
        folder = given.removeprefix("file://")
        return Pack(shown, "server", folder, f"{PurePosixPath(folder).name}-{_hash(folder)}")
    path = given.partition("#")[0].partition("?")[0]
    kind = "tar" if TARBALL.search(path) else "git"
    stem = TARBALL.sub("", PurePosixPath(path.rpartition(":")[2]).name).removesuffix(".git")
    return Pack(shown, kind, given, f"{re.sub(r'[^A-Za-z0-9._-]', '', stem) or kind}-{_hash(printable(path))}")


def _inside(given: str) -> Pack:
    path = PurePosixPath(given)
    if ".." in path.parts or "\t" in given or "\n" in given:
        raise Invalid(f"The buildpack {given[:80]!r} is not a folder of the commit.", reason="unknown buildpack")
    return Pack(given, "app", str(path), f"app-{_hash(str(path))}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
