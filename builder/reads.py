"""What a build read of the commit, as its buildpacks said: changes of anything else needn't run it again.

A buildpack writes lines to the file that MOTHERSHIP_READS names. For what is in files: `= PATTERN` for those whose
contents it read, `~ SUFFIX…` when only files of these kinds may change unread, and `everything`. For what is there:
`+ PATTERN` for paths that it looked for or listed, a folder's with a slash at its end, and `^ PLACE` for a module that
was looked for there. Patterns are those of fnmatch(3) without FNM_PATHNAME: `*` goes through slashes.
"""

import fnmatch
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from builder.parts import Part, parents, part

EVERYTHING = "everything"
ANY_NAME = "+ *"
DECIDING = frozenset(
    {".slugignore", "app.json", ".buildpacks", "project.toml", "heroku.yml"}
    | {"render.yaml", "railway.json", "railway.toml", "nixpacks.toml"}
    | {"pyproject.toml", "package.json", "system.properties"}
)
"""Files of the root that decide about the build itself, or by their contents which buildpack detects the app."""

DETECTING = frozenset(
    {"Aptfile", "package.json", "bun.lock", "bun.lockb", ".bun-version", "package-lock.json", "npm-shrinkwrap.json"}
    | {"yarn.lock", "pnpm-lock.yaml", "deno.json", "deno.jsonc", "deno.lock", ".deno-version", "main.ts", "go.mod"}
    | {"gradlew", "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "build.sbt"}
    | {"project.clj", "system.properties", "composer.json", "index.php", "requirements.txt", "uv.lock", "poetry.lock"}
    | {"Pipfile", "Pipfile.lock", "setup.py", "pyproject.toml", "Gemfile", "Cargo.toml", "RustConfig", "static.json"}
    | {
        "Staticfile",
        "Gemfile.lock",
        "config.ru",
        "index.html",
        "public/index.html",
        "dist/index.html",
        "build/index.html",
    }
    | {f"pom.{kind}" for kind in ("xml", "atom", "clj", "groovy", "rb", "scala", "yaml", "yml")}
)
"""What the detection of any built-in buildpack looks for."""


@dataclass(frozen=True)
class Changes:
    """What is other in a commit's tree: files with other `contents`, `names` of files and folders that came or went.

    A folder's name ends with a slash.
    """

    contents: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.contents or self.names)

    def meet(self, made: Iterable[str]) -> bool:
        """Whether a file came or went in a folder in which the build left something, or as what it left."""
        taken = {place for path in made for place in (*parents(path), path)}
        return any(place in taken for name in self.names for place in (*parents(name), name.rstrip("/")))


@dataclass(frozen=True)
class Reads:
    """Lines as buildpacks wrote them."""

    lines: tuple[str, ...]

    def any_of(self, changes: Changes) -> bool:
        """Whether the build read or looked for anything that has changed."""
        return (
            EVERYTHING in self.lines
            or any(self._read(path) for path in changes.contents)
            or any(self._read(path) or self._looked_for(path) for path in changes.names)
        )

    def _read(self, path: str) -> bool:
        kind = PurePosixPath(path).suffix
        return (
            path in DECIDING
            or part(path) is not Part.APP
            or self._contents.match(path) is not None
            or (not path.endswith("/") and any(kind not in kinds for kinds in self._kinds))
        )

    def _looked_for(self, path: str) -> bool:
        return (
            path in DETECTING
            or self._names.match(path) is not None
            or any(place in self._modules for place in _module_places(path))
        )

    @cached_property
    def _contents(self) -> re.Pattern[str]:
        return _any(line[2:] for line in self.lines if line.startswith("= "))

    @cached_property
    def _names(self) -> re.Pattern[str]:
        return _any(line[2:] for line in self.lines if line.startswith("+ "))

    @cached_property
    def _modules(self) -> frozenset[str]:
        return frozenset(line[2:] for line in self.lines if line.startswith("^ "))

    @cached_property
    def _kinds(self) -> list[frozenset[str]]:
        return [frozenset(line[2:].split()) for line in self.lines if line.startswith("~ ")]


def together(said: Collection[str]) -> tuple[str, ...]:
    """What several buildpacks read, by their files. One that says nothing may have read anything, and looked for it."""
    lines: set[str] = set()
    for text in said:
        found = set(text.splitlines()) or {EVERYTHING}
        lines |= found if any(line.startswith("+ ") for line in found) else {*found, ANY_NAME}
    return tuple(sorted(lines))


def _module_places(path: str) -> tuple[str, ...]:
    """Where an import may find what has come: a/b.py and a/b.so and a/b/ at a/b, a/b/__init__.py at a/b too."""
    if path.endswith("/"):
        return (path[:-1],)
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return (f"{folder}/{stem}".lstrip("/"), *([folder] if stem == "__init__" else []))


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns) or r"(?!)")
