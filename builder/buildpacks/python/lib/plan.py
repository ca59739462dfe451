"""Read what a Python app asks for and print it as KEY=VALUE lines: package manager, version, hash of the inputs."""

# ruff: noqa: T201

import hashlib
import os
import platform
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANAGERS = (
    ("requirements.txt", "pip"),
    ("uv.lock", "uv"),
    ("poetry.lock", "poetry"),
    ("Pipfile.lock", "pipenv"),
    ("Pipfile", "pipenv"),
    ("pyproject.toml", "pyproject"),
    ("setup.py", "setup_py"),
)
LOCKS = ("requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock")
VERSION = re.compile(r"(?:c?python-?)?(\d+(?:\.\d+){0,2})")
VARIABLE = "the config var PYTHON_VERSION"
INCLUDE = re.compile(r"\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)")
LOCAL = re.compile(r"\s*(?:-e\b|--editable\b|\.{0,2}/|\.\s*$|\S+\s*@\s*(?:file:|\.))")
MEMBER = re.compile(r'source = \{ (editable|virtual|directory|path) = "([^"]+)" \}')


class Problem(Exception):
    """Something in the app that only its author can mend; each argument is a line."""


def main(root: Path) -> None:
    file, manager = choose(root)
    request, source = wanted_version(root, file)
    print(f"manager={manager}")
    print(f"manager_file={file}")
    print(f"request={request}")
    print(f"request_file={source}")
    print(f"system_version={platform.python_version()}")
    print(f"volatile={'yes' if volatile(root, file) else 'no'}")
    print(f"inputs={fingerprint(root, file)}")
    for path in sorted({path.relative_to(root) for path in inputs(root, file) if path.is_relative_to(root)}):
        print(f"read={path}")
    for other in LOCKS:
        if other != file and (root / other).is_file():
            print(f"unused={other}")


def choose(root: Path) -> tuple[str, str]:
    for file, manager in MANAGERS:
        if (root / file).is_file():
            return file, manager
    raise Problem("No requirements.txt, uv.lock, poetry.lock, Pipfile or pyproject.toml at the root of the app.", *ADD)


ADD = ("An app without dependencies needs an empty requirements.txt:", "  touch requirements.txt")


# version


def wanted_version(root: Path, manager_file: str) -> tuple[str, str]:
    """The version request in uv's words and where it comes from; two empty strings when there is none."""
    if given := os.environ.get("PYTHON_VERSION", "").strip():
        return pinned(given, VARIABLE), VARIABLE
    for file in (".python-version", "runtime.txt"):
        if (root / file).is_file():
            return pinned((root / file).read_text(errors="replace"), file), file
    if manager_file.startswith("Pipfile"):
        request = pipfile_version((root / manager_file).read_text())
        return request, manager_file if request else ""
    if (root / "pyproject.toml").is_file():
        request = project_version(load(root / "pyproject.toml"))
        return request, "pyproject.toml" if request else ""
    return "", ""


def pinned(text: str, place: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) == 1 and (match := VERSION.fullmatch(lines[0])):
        return match[1]
    raise Problem(
        f"{place} must hold one version of Python, but holds: {' '.join(lines)[:80] or 'nothing'}",
        f"Write the version alone, such as {'.'.join(platform.python_version_tuple()[:2])}, on one line.",
    )


def pipfile_version(text: str) -> str:
    match = re.search(r'"?python_(?:full_)?version"?\s*[:=]\s*"(\d[\d.]*)"', text)
    return match[1] if match else ""


def project_version(project: dict[str, Any]) -> str:
    requires = project.get("project", {}).get("requires-python")
    if requires:
        return str(requires).replace(" ", "")
    poetry = project.get("tool", {}).get("poetry", {}).get("dependencies", {}).get("python", "")
    return pep440(str(poetry))


def pep440(constraint: str) -> str:
    """Poetry's `^3.11`, `~3.11` and `3.*` as PEP 440; of alternatives (`||`) the last, the newest by custom."""
    last = constraint.split("||")[-1]
    return ",".join(clause(part.strip()) for part in last.split(",") if part.strip() not in ("", "*"))


def clause(text: str) -> str:
    if text[0] not in "^~" or text.startswith("~="):
        return text.replace(" ", "") if text[0] in "<>=!~" else f"=={text}"
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    fixed = 1 if text[0] == "^" or len(numbers) == 1 else 2
    above = [*numbers[: fixed - 1], numbers[fixed - 1] + 1]
    return f">={'.'.join(map(str, numbers))},<{'.'.join(map(str, above))}"


def load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(f"{path.name} is not valid TOML: {error}", "Mend it, commit, and push again.") from error


# inputs


def fingerprint(root: Path, manager_file: str) -> str:
    """A hash of everything that decides which packages are installed."""
    digest = hashlib.sha256(f"1 {manager_file} {platform.python_version()}\0".encode())
    for path in sorted(set(inputs(root, manager_file))):
        if path.is_file():
            digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    for name in sorted(os.environ):
        if name.startswith(("UV_", "PIP_")) and "CACHE" not in name:
            digest.update(f"{name}={os.environ[name]}\0".encode())
    return digest.hexdigest()


def inputs(root: Path, manager_file: str) -> Iterator[Path]:
    yield root / manager_file
    if manager_file == "requirements.txt":
        yield from included(root / manager_file, set())
        return
    yield from (root / name for name in ("pyproject.toml", "setup.py", "setup.cfg", "uv.toml"))
    if manager_file == "uv.lock":
        for _, where in MEMBER.findall((root / manager_file).read_text()):
            yield from (root / where / name for name in ("pyproject.toml", "setup.py", "setup.cfg"))
    if manager_file in ("pyproject.toml", "setup.py"):
        yield from root.glob("*requirements*.txt")
        yield from root.glob("requirements/*.txt")


def included(path: Path, seen: set[Path]) -> Iterator[Path]:
    if path in seen or not path.is_file():
        return
    seen.add(path)
    yield path
    for line in path.read_text(errors="replace").splitlines():
        if match := INCLUDE.match(line):
            yield from included(Path(os.path.normpath(path.parent / match[1])), seen)


def volatile(root: Path, manager_file: str) -> bool:
    """Do packages come from directories of the app, whose contents no hash here covers?"""
    if manager_file == "requirements.txt":
        files = included(root / manager_file, set())
        return any(LOCAL.match(line) for file in files for line in file.read_text(errors="replace").splitlines())
    text = (root / manager_file).read_text(errors="replace")
    if manager_file == "uv.lock":
        return any(kind in ("directory", "path") for kind, _ in MEMBER.findall(text))
    if manager_file == "poetry.lock":
        return 'type = "directory"' in text or 'type = "file"' in text
    if manager_file.startswith("Pipfile"):
        return re.search(r'"?(path|file)"?\s*[:=]\s*"', text) is not None
    return False


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Problem as problem:
        print(*problem.args, sep="\n")
        sys.exit(1)
