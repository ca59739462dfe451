"""Which way an app is built: by its setting, BUILDPACK_URL, what the commit names, a Dockerfile, or detection."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from builder import herokuyml, recipe
from builder.commit import Root
from builder.packs import BUILT_IN, Pack, own, pack
from builder.recipe import Recipe
from builder.source import FOLDER, Source
from mothership.errors import BuildFailed, Invalid

LOOKED_FOR = (
    "Ruby: Gemfile",
    "Python: requirements.txt, uv.lock, poetry.lock, Pipfile, pyproject.toml or setup.py",
    "PHP: composer.json or index.php",
    "Java: pom.xml, build.gradle or gradlew",
    "Go: go.mod",
    "Rust: Cargo.toml",
    "Deno: deno.json",
    "Bun: bun.lock beside package.json",
    "Node: package.json",
    "static site: index.html, static.json, Staticfile, public/index.html or dist/index.html",
    "Dockerfile",
)
SUBFOLDER = re.compile(r"subdir-heroku-buildpack|heroku-buildpack-subdir")
"""Buildpacks that do what the builder does by itself where a folder is the app."""


ELSEWHERE = {
    "build.sbt": ("Scala", "https://github.com/heroku/heroku-buildpack-scala"),
    "project.clj": ("Clojure", "https://github.com/heroku/heroku-buildpack-clojure"),
    "mix.exs": ("Elixir", "https://github.com/HashNuke/heroku-buildpack-elixir"),
    "*.csproj": (".NET", "https://github.com/jincod/dotnetcore-buildpack"),
    "*.sln": (".NET", "https://github.com/jincod/dotnetcore-buildpack"),
}
"""Languages that other people's buildpacks know, by their files in the root."""


@dataclass(frozen=True)
class Choice:
    """How to build: by a Dockerfile, or by buildpacks, of which `detect` takes the first that fits.

    `declares` are the process types that the commit names.
    """

    dockerfile: Recipe | None = None
    detect: bool = False
    buildpacks: tuple[Pack, ...] = ()
    declares: tuple[str, ...] = ()


def choose(source: Source, root: Root, configured: Mapping[str, str]) -> Choice:
    """The first of the places that says something decides; `configured` are an admin's own names. Raises Invalid."""
    given = source.buildpacks or _single(source.config.get("BUILDPACK_URL"))
    if not given and (dockerfile := recipe.by_config(source)):
        return Choice(dockerfile=dockerfile)
    for named in (given, _listed(root), _app_json(root), _heroku_yml(root)):
        named = tuple(name for name in named if not (source.folder and SUBFOLDER.search(name)))
        if named:
            return Choice(buildpacks=tuple(pack(name, configured) for name in named))
    if dockerfile := recipe.by_commit(root):
        return Choice(dockerfile=dockerfile)
    return Choice(detect=True, buildpacks=tuple(own(name) for name in BUILT_IN))


def nothing_detected(app: str, place: Path) -> BuildFailed:
    """The error when no buildpack fits what is in `place`: what was looked for, and three ways out."""
    looked = "\n".join(f"  {line}" for line in LOOKED_FOR)
    for pattern, (language, url) in ELSEWHERE.items():
        if any(place.glob(pattern)):
            return BuildFailed(
                f"{app} is in {language}, for which no buildpack is built in.",
                f"There is one: mothership buildpacks:set -a {app} {url}\nOr add a Dockerfile.",
                reason="no buildpack detected",
            )
    return BuildFailed(
        f"No buildpack knows what {app} is. Looked in the root of the repository for:\n{looked}",
        "Three ways out: add one of these files, add a Dockerfile, "
        f"or choose buildpacks: mothership buildpacks:set -a {app} URL\n"
        f"Is the app in a subfolder? mothership config:set -a {app} {FOLDER}=the/folder",
        reason="no buildpack detected",
    )


def _single(value: str | None) -> tuple[str, ...]:
    return (value.strip(),) if value and value.strip() else ()


def _listed(root: Root) -> tuple[str, ...]:
    lines = root.files.get(".buildpacks", b"").decode(errors="replace").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))


def _heroku_yml(root: Root) -> tuple[str, ...]:
    return herokuyml.languages(root.files.get(herokuyml.NAME, b""))


def _app_json(root: Root) -> tuple[str, ...]:
    if "app.json" not in root.files:
        return ()
    try:
        entries = json.loads(root.files["app.json"]).get("buildpacks") or []
        return tuple(_urls(entries))
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise Invalid(f"app.json is not what it should be: {error}.", reason="malformed app.json") from error


def _urls(entries: Iterable[object]) -> Iterable[str]:
    for entry in entries:
        yield str(entry["url"]) if isinstance(entry, dict) and "url" in entry else str(entry)
