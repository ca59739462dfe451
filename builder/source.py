"""What is to be built."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mothership.errors import Invalid

FOLDER = "PROJECT_PATH"
"""The config var that names the folder of the commit that is the app, as in the Heroku buildpack "subdir"."""


@dataclass(frozen=True)
class Key:
    """An SSH private key, and the hosts' keys that were met with it (known_hosts)."""

    private: str = field(repr=False)
    hosts: str


def forget(hosts: str) -> None:
    """Take no note of the hosts that were met."""


@dataclass(frozen=True)
class Source:
    """A commit of an app, and what decides how it is built.

    `repository` is a bare repository; `quarantine` the directory of objects that a push has not brought into it yet
    (git-receive-pack, "Quarantine Environment"), or "". `config` are the app's config vars, `buildpacks` those that
    the app's owner has set, `builder` the builder image of Cloud Native Buildpacks that they have, "" for none.
    `version` is the commit that people know, where `commit` was made from it to have its submodules in it. `key` opens
    private repositories of buildpacks, and `met` is told the hosts that it was used with (known_hosts).
    """

    app: str
    commit: str
    repository: Path
    quarantine: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    no_cache: bool = False
    buildpacks: tuple[str, ...] = ()
    build_id: str = ""
    builder: str = ""
    key: Key | None = None
    met: Callable[[str], None] = forget
    version: str = ""

    @property
    def known(self) -> str:
        """The commit as people know it."""
        return self.version or self.commit

    @property
    def folder(self) -> str:
        """The folder of the commit that is built as if it were the root, "" for the root. Raises Invalid.

        An absolute path is not about the commit.
        """
        given = self.config.get(FOLDER, "").strip()
        if PurePosixPath(given).is_absolute():
            return ""
        return inside(given, f"The config var {FOLDER}")

    @property
    def tree(self) -> str:
        """What git calls the tree that is built (gitrevisions(7))."""
        return f"{self.commit}:{self.folder}"


def inside(given: str, what: str) -> str:
    """A path of the commit from its root, "" for the root itself. Raises Invalid for any other."""
    path = PurePosixPath(given.strip().lstrip("/"))
    if ".." in path.parts or not re.fullmatch(r"[^\x00-\x1f:\ud800-\udfff]*", given.strip()):
        raise Invalid(
            f"{what} is not a path of the repository: {given[:80]!r}.",
            "Name one from its root, such as services/web.",
            reason="bad path",
        )
    return "" if path == PurePosixPath() else str(path)
