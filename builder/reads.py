"""What a build read of the commit, as its buildpacks said: a change of anything else needn't run it again.

A buildpack writes lines to the file that MOTHERSHIP_READS names: `= PATTERN` for files whose contents it read,
`? PATTERN` for files whose being there it looked at, `~ SUFFIX…` when only files of these kinds may change unread, and
`everything`. Patterns are those of fnmatch(3) without FNM_PATHNAME: `*` goes through slashes.
"""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from builder.parts import Part, parents, part

EVERYTHING = "everything"
DECIDING = frozenset(
    {".slugignore", "app.json", ".buildpacks", "project.toml", "heroku.yml"}
    | {"pyproject.toml", "package.json", "system.properties"}
)
"""Files of the root that decide about the build itself, or by their contents which buildpack detects the app."""


@dataclass(frozen=True)
class Changes:
    """Paths of a commit against the one before: other contents, or there in only one of the two. False for none."""

    contents: frozenset[str]
    names: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.contents or self.names)

    def reach(self, made: Iterable[str]) -> bool:
        """Whether a file comes or goes where one of these paths is, in it, or in its place."""
        places = frozenset(made)
        return any(name in places or any(parent in places for parent in parents(name)) for name in self.names) or any(
            parent in self.names for place in places for parent in parents(place)
        )


@dataclass(frozen=True)
class Reads:
    """Lines as buildpacks wrote them."""

    lines: tuple[str, ...]

    def any_of(self, changes: Changes) -> bool:
        """Whether the build read anything that has changed."""
        changed = changes.contents | changes.names
        return (
            EVERYTHING in self.lines
            or any("/" not in path for path in changes.names)
            or any(path in DECIDING or part(path) is not Part.APP for path in changed)
            or any(self._contents.match(path) for path in changed)
            or any(self._names.match(path) for path in changes.names)
            or any(PurePosixPath(path).suffix not in kinds for kinds in self._kinds for path in changed)
        )

    @cached_property
    def _contents(self) -> re.Pattern[str]:
        return _any(self._after("= "))

    @cached_property
    def _names(self) -> re.Pattern[str]:
        return _any(self._after("? "))

    @cached_property
    def _kinds(self) -> list[frozenset[str]]:
        return [frozenset(words.split()) for words in self._after("~ ")]

    def _after(self, mark: str) -> list[str]:
        return [line.removeprefix(mark) for line in self.lines if line.startswith(mark)]


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, patterns)) or r"(?!)")
