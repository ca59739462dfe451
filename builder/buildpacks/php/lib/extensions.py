"""Print the extensions that an app and its packages need and that standard input, the output of php -m, lacks."""

# ruff: noqa: T201

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from choose import packages, read  # noqa: E402


def main(build: Path, loaded: Iterable[str]) -> int:
    there = {plain(line) for line in loaded}
    everything = [read(build / "composer.json"), *packages(read(build / "composer.lock"))]
    stood_in_for = {name for package in everything for key in ("provide", "replace") for name in names(package, key)}
    missing = sorted({name for package in everything for name in names(package, "require")} - stood_in_for - there)
    for name in missing:
        who = next(package for package in everything if name in names(package, "require"))
        print(f"ext-{name} ({who.get('name') or 'composer.json'})")
    return 1 if missing else 0


def names(package: dict[str, Any], key: str) -> set[str]:
    found = package.get(key)
    return {plain(name[4:]) for name in found if name.startswith("ext-")} if isinstance(found, dict) else set()


def plain(name: str) -> str:
    """An extension's name as Composer writes it."""
    return name.strip().lower().replace(" ", "-").replace("zend-opcache", "opcache")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin))
