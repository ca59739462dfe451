"""Which part of an app's image a path belongs to: what rarely changes lies in lower layers."""

import re
from enum import StrEnum


class Part(StrEnum):
    """The layers of a buildpack image above the stack's, from the bottom up."""

    RUNTIME = "runtime"
    DEPENDENCIES = "dependencies"
    APP = "app"


DEPENDENCIES = re.compile(
    r"""
    (?!\.heroku/)(?:.*/)?node_modules/
    | \.heroku/deno_dir/
    | vendor/(?!ruby-|node/|jvm/)       # Bundler's and Composer's packages
    | \.heroku/python/(?:
        lib/python[^/]*/site-packages/
        | (?!(?:lib|include)/).     # a virtual environment's scripts and settings change with its packages
    )
    """,
    re.VERBOSE,
)
RUNTIME = re.compile(r"\.heroku/[^/]+/|\.jdk/|\.apt/|vendor/(?:ruby-|node/|jvm/)")


def part(path: str) -> Part:
    """The part of a path below /app; a directory's path ends with a slash."""
    if DEPENDENCIES.match(path):
        return Part.DEPENDENCIES
    return Part.RUNTIME if RUNTIME.match(path) else Part.APP


def outlives_a_build(directory: str) -> bool:
    """Whether the next build may find a directory that the buildpacks made: runtimes and dependencies."""
    return part(directory) is not Part.APP


HOLDERS = frozenset({".heroku/", "vendor/"})
"""Directories that may hold some of those without being one."""


def parents(path: str) -> list[str]:
    """The folders that a path is in, from the root."""
    pieces = path.split("/")[:-1]
    return ["/".join(pieces[: count + 1]) for count in range(len(pieces))]
