"""Print the default packages of a Pipfile.lock or a Pipfile as a requirements file, hashes and markers kept."""

# ruff: noqa: T201

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PYPI = "https://pypi.org/simple"
MARKERS = ("os_name", "sys_platform", "platform_machine", "platform_system", "python_version", "python_full_version")
VCS = ("git", "hg", "svn", "bzr")


def main(path: Path) -> None:
    try:
        sources, packages = read(path)
    except (ValueError, KeyError, TypeError) as error:
        print(f"{path.name} can't be read: {error}")
        sys.exit(1)
    for line in (*index_lines(sources), *(requirement(name, package) for name, package in sorted(packages.items()))):
        print(line)


def read(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The package sources and the packages, whichever of the two files it is."""
    if path.suffix == ".lock":
        lock = json.loads(path.read_text())
        return lock["_meta"].get("sources", []), lock.get("default", {})
    pipfile = tomllib.loads(path.read_text())
    return pipfile.get("source", []), pipfile.get("packages", {})


def index_lines(sources: list[dict[str, Any]]) -> Iterator[str]:
    """The first source is the default index. PyPI itself isn't named, so that a mirror can stand in for it."""
    for position, source in enumerate(sources):
        url = os.path.expandvars(source["url"])
        if position == 0 and url.rstrip("/") != PYPI:
            yield f"--index-url {url}"
        elif position > 0:
            yield f"--extra-index-url {url}"


def requirement(name: str, package: Any) -> str:
    if isinstance(package, str):
        package = {"version": package}
    extras = f"[{','.join(package['extras'])}]" if package.get("extras") else ""
    line = f"{name}{extras}{location(package)}"
    if package.get("editable") and "path" in package:
        line = f"-e {package['path']}{extras}"
    markers = [f"({package['markers']})"] if "markers" in package else []
    markers += [f"{key} {package[key]}" for key in MARKERS if key in package]
    if markers:
        line += f" ; {' and '.join(markers)}"
    return " ".join([line, *(f"--hash={digest}" for digest in package.get("hashes", []))])


def location(package: dict[str, Any]) -> str:
    """What follows the name: a version, or where the package comes from (PEP 508)."""
    for kind in VCS:
        if kind in package:
            ref = f"@{package['ref']}" if "ref" in package else ""
            subdirectory = f"#subdirectory={package['subdirectory']}" if "subdirectory" in package else ""
            return f" @ {kind}+{re.sub(f'^{kind}[+]', '', package[kind])}{ref}{subdirectory}"
    if "file" in package:
        return f" @ {package['file']}"
    if "path" in package:
        return f" @ {Path(package['path']).resolve().as_uri()}"
    version = str(package.get("version", "*"))
    return "" if version == "*" else version


if __name__ == "__main__":
    main(Path(sys.argv[1]))
