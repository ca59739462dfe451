"""What a build read of the commit, as its buildpacks said: other contents of anything else needn't run it again.

A buildpack writes lines to the file that MOTHERSHIP_READS names: `= PATTERN` for files whose contents it read,
`~ SUFFIX…` when only files of these kinds may change unread, and `everything`. Patterns are those of fnmatch(3) without
FNM_PATHNAME: `*` goes through slashes. Where a file comes or goes, all runs: programs look for files in many ways.
"""

import fnmatch
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from builder.parts import Part, part

EVERYTHING = "everything"
DECIDING = frozenset(
    {".slugignore", "app.json", ".buildpacks", "project.toml", "heroku.yml"}
    | {"pyproject.toml", "package.json", "system.properties"}
)
"""Files of the root that decide about the build itself, or by their contents which buildpack detects the app."""


@dataclass(frozen=True)
class Reads:
    """Lines as buildpacks wrote them."""

    lines: tuple[str, ...]

    def any_of(self, changed: Collection[str]) -> bool:
        """Whether the build read any of the paths whose contents have changed."""
        return (
            EVERYTHING in self.lines
            or any(path in DECIDING or part(path) is not Part.APP for path in changed)
            or any(self._contents.match(path) for path in changed)
            or any(PurePosixPath(path).suffix not in kinds for kinds in self._kinds for path in changed)
        )

    @cached_property
    def _contents(self) -> re.Pattern[str]:
        patterns = [fnmatch.translate(line[2:]) for line in self.lines if line.startswith("= ")]
        return re.compile("|".join(patterns) or r"(?!)")

    @cached_property
    def _kinds(self) -> list[frozenset[str]]:
        return [frozenset(line[2:].split()) for line in self.lines if line.startswith("~ ")]
