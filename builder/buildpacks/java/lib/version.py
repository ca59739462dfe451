"""Which Java an app asks for, and where: prints the major version, what is written, and the place, a line each."""

# ruff: noqa: T201

import re
import sys
from collections.abc import Iterator
from pathlib import Path

OFFERED = (8, 11, 17, 21, 25, 26)
DEFAULT = 21
LEAST = 17
"""What is taken for an app that merely compiles for an older Java: newer compilers know how."""

NUMBER = re.compile(r"^(?:[A-Za-z][A-Za-z_-]*-)?(?:1\.(?=[5-8]\b))?(\d+)(?:[.+_-]\S*)?$")
POM = re.compile(
    r"<(maven\.compiler\.release|maven\.compiler\.target|java\.version|maven\.compiler\.source|release|target|jdk\.version)>"
    r"\s*(1\.\d|\d+)\s*</\1>"
)
TOOLCHAIN = re.compile(r"(?:JavaLanguageVersion\.of|jvmToolchain)\s*\(\s*[\"']?(\d+)")
COMPATIBLE = re.compile(r"(?:source|target)Compatibility\s*=?\s*[\"']?(?:JavaVersion\.VERSION_)?(1[._]\d|\d+)")


class Problem(Exception):
    """The lines that say what is wrong and what to do."""


def main(root: Path) -> None:
    major, asked, place = named(root) or exact(root) or at_least(root) or (DEFAULT, "", "")
    if major not in OFFERED:
        there = ", ".join(str(each) for each in OFFERED)
        raise Problem(
            f"There is no Java {major} here, which {place} asks for.",
            f"There is: {there}. Write one of them in system.properties, such as: java.runtime.version={DEFAULT}",
        )
    print(major, asked, place, sep="\n")


def named(root: Path) -> tuple[int, str, str] | None:
    """The version that the app names for the platform, or for the tools people install Java with."""
    for place, pattern in (
        ("system.properties", r"^\s*java\.runtime\.version\s*[=: ]\s*(\S+)"),
        (".tool-versions", r"^\s*java\s+(\S+)"),
        (".sdkmanrc", r"^\s*java\s*=\s*(\S+)"),
        (".java-version", r"^\s*([^\s#]+)"),
    ):
        found = re.findall(pattern, text(root / place), re.MULTILINE)
        if found:
            return number(found[-1], place), found[-1], place
    return None


def exact(root: Path) -> tuple[int, str, str] | None:
    """A Gradle toolchain, which takes no other version than its own."""
    for path in gradle(root):
        if match := TOOLCHAIN.search(text(path)):
            return int(match[1]), match[1], f"the toolchain in {path.name}"
    return None


def at_least(root: Path) -> tuple[int, str, str] | None:
    """What the app is compiled for: the next Java on offer that can run that."""
    for path, pattern, group in ((root / "pom.xml", POM, 2), *((each, COMPATIBLE, 1) for each in gradle(root))):
        found = [number(match[group].replace("_", "."), path.name) for match in pattern.finditer(text(path))]
        if found:
            wanted = max(found)
            fitting = (each for each in OFFERED if each >= max(wanted, LEAST))
            return next(fitting, wanted), str(wanted), path.name
    return None


def gradle(root: Path) -> Iterator[Path]:
    yield from (path for name in ("build.gradle", "build.gradle.kts") if (path := root / name).is_file())


def number(written: str, place: str) -> int:
    match = NUMBER.fullmatch(written)
    if not match:
        raise Problem(
            f"{place} asks for Java {written[:60]!r}, which is not a version.",
            f"Write it as a number, such as: java.runtime.version={DEFAULT}",
        )
    return int(match[1])


def text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Problem as problem:
        print(*problem.args, sep="\n")
        sys.exit(1)
