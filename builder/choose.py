"""Which way an app is built: the app's setting, BUILDPACK_URL, .buildpacks, app.json, a Dockerfile, or detection."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from builder.commit import Root
from builder.source import Source
from mothership.errors import BuildFailed, Invalid

BUILT_IN = ("ruby", "python", "php", "java", "go", "rust", "deno", "bun", "node", "static")
"""In the order they are tried. A package.json beside another language's own file is for that app's assets."""

SHORT = {
    "python": "python",
    "nodejs": "node",
    "node": "node",
    "ruby": "ruby",
    "php": "php",
    "java": "java",
    "gradle": "java",
    "jvm": "java",
    "go": "go",
    "rust": "rust",
    "deno": "deno",
    "bun": "bun",
    "static": "static",
}
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
    "static site: index.html, static.json, public/index.html or dist/index.html",
    "Dockerfile",
)
URL = re.compile(r"(https?|git|ssh)://[^\s]+|git@[^\s]+")


@dataclass(frozen=True)
class Choice:
    """How to build: by a Dockerfile, or by buildpacks, of which `detect` takes the first that fits."""

    dockerfile: bool = False
    detect: bool = False
    buildpacks: tuple[str, ...] = ()


def choose(source: Source, root: Root) -> Choice:
    """The first of the places that says something decides. Raises Invalid."""
    for named in (source.buildpacks, _single(source.config.get("BUILDPACK_URL")), _listed(root), _app_json(root)):
        if named:
            return Choice(buildpacks=tuple(resolved(name) for name in named))
    if "Dockerfile" in root.files:
        return Choice(dockerfile=True)
    return Choice(detect=True, buildpacks=BUILT_IN)


def resolved(name: str) -> str:
    """A built-in buildpack's name or a URL. Raises Invalid for anything else."""
    short = name.removeprefix("heroku/").removeprefix("mothership/")
    if short in SHORT:
        return SHORT[short]
    if name.startswith("https://github.com/heroku/heroku-buildpack-"):
        known = name.removeprefix("https://github.com/heroku/heroku-buildpack-").removesuffix(".git")
        if known in SHORT:
            return SHORT[known]
    if URL.fullmatch(name):
        return name
    raise Invalid(
        f"{name[:80]!r} is not a buildpack.",
        f"Built in: {', '.join(f'heroku/{known}' for known in SHORT)}. Others by URL: https://host/buildpack.git#ref",
        reason="unknown buildpack",
    )


def nothing_detected(app: str) -> BuildFailed:
    """The error when no buildpack fits: what was looked for, and three ways out."""
    looked = "\n".join(f"  {line}" for line in LOOKED_FOR)
    return BuildFailed(
        f"No buildpack knows what {app} is. Looked in the root of the repository for:\n{looked}",
        "Three ways out: add one of these files (is the app in a subfolder?), "
        f"add a Dockerfile, or choose buildpacks: mothership buildpacks -a {app} URL",
        reason="no buildpack detected",
    )


def _single(value: str | None) -> tuple[str, ...]:
    return (value.strip(),) if value and value.strip() else ()


def _listed(root: Root) -> tuple[str, ...]:
    lines = root.files.get(".buildpacks", b"").decode(errors="replace").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))


def _app_json(root: Root) -> tuple[str, ...]:
    if "app.json" not in root.files:
        return ()
    try:
        entries = json.loads(root.files["app.json"]).get("buildpacks") or []
        return tuple(_urls(entries))
    except (ValueError, AttributeError, TypeError) as error:
        raise Invalid(f"app.json is not what it should be: {error}.", reason="malformed app.json") from error


def _urls(entries: Iterable[object]) -> Iterable[str]:
    for entry in entries:
        yield str(entry["url"]) if isinstance(entry, dict) and "url" in entry else str(entry)
