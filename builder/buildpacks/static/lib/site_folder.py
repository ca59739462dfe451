"""Finds the folder of a site: what static.json says, else where builds leave files, else the root."""

# ruff: noqa: T201

import json
import re
import sys
from pathlib import Path
from typing import Any, NoReturn

BUILT = ("dist", "build", "out", "_site", "www", ".output/public", "public", "build/client")
BUILT += (".vitepress/dist", "docs/.vitepress/dist", ".vuepress/dist", "docs/.vuepress/dist")
"""Where build scripts leave a site: Vite, Astro and Vue; Create React App, Docusaurus and SvelteKit; Next.js; Eleventy;
Stencil and Ionic; Nuxt; Gatsby and Hexo; React Router; VitePress and VuePress."""
COMMITTED = ("public", "dist", "build")


def main(build: Path) -> None:
    print(folder(build, settings(build)))


def settings(build: Path) -> dict[str, Any]:
    """static.json, else what Cloud Foundry's Staticfile says by the same names."""
    if (build / "static.json").exists() or not (build / "Staticfile").is_file():
        return read(build / "static.json")
    lines = (build / "Staticfile").read_text(errors="replace").splitlines()
    pairs = dict(re.findall(r"^(root|pushstate)\s*:\s*(\S+)\s*$", "\n".join(lines), re.MULTILINE))
    found: dict[str, Any] = {"root": pairs["root"]} if "root" in pairs else {}
    if pairs.get("pushstate") in ("enabled", "true"):
        found["routes"] = {"/**": "index.html"}
    return found


def folder(build: Path, settings: dict[str, Any]) -> str:
    """The folder relative to the app's root, "." for all of it. Ends the build when static.json names none."""
    root = str(settings.get("root") or guess(build))
    place = (build / root).resolve()
    if not place.is_relative_to(build.resolve()) or not place.is_dir():
        named = "static.json" if (build / "static.json").exists() else "Staticfile"
        fail(f"The folder {root!r}, which {named} names as root, is not there.")
    return str(place.relative_to(build.resolve()))


def guess(build: Path) -> str:
    places = (*found(build), ".") if is_built(build) else (".", *COMMITTED)
    return next((name for name in places if (build / name / "index.html").is_file()), ".")


def found(build: Path) -> tuple[str, ...]:
    """The usual places, and Angular's: a folder of the project's name below dist, with `browser` in it of late."""
    angular = sorted(str(path.parent.relative_to(build)) for path in build.glob("dist/*/browser/index.html"))
    return (
        *vite(build),
        *BUILT,
        *angular,
        *sorted(str(path.parent.relative_to(build)) for path in build.glob("dist/*/index.html")),
    )


def vite(build: Path) -> list[str]:
    """The folder that Vite's settings name in place of dist."""
    settings = [path.read_text(errors="replace") for path in sorted(build.glob("vite.config.*")) if path.is_file()]
    return [name for text in settings for name in re.findall(r"\boutDir\s*:\s*['\"]([\w./-]+)['\"]", text)]


def is_built(build: Path) -> bool:
    """Is there a build script in package.json, whose output and not its source is the site?"""
    scripts = read(build / "package.json").get("scripts") or {}
    return isinstance(scripts, dict) and bool(scripts.get("build") or scripts.get("heroku-postbuild"))


def read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        fail(f"{path.name} is not valid JSON: {error}")
    if not isinstance(found, dict):
        fail(f"{path.name} must be an object.")
    return found


def fail(text: str) -> NoReturn:
    print(f" !     {text}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
