"""Print the extra with the newest PHP that meets composer.json and composer.lock."""

# ruff: noqa: T201

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from constraint import allows  # noqa: E402

AVAILABLE = ("8.4", "8.2")


def main(build: Path) -> int:
    wishes = [wish for wish in wished(build) if isinstance(wish[1], str)]
    for version in AVAILABLE:
        if all(allows(constraint, version) for _, constraint in wishes):
            print(f"php-{version}")
            return 0
    lines = [f"No PHP here meets what the app asks for. What there is: {', '.join(AVAILABLE)}"]
    lines += [f"  {who} asks for PHP {wish}" for who, wish in wishes if not allows(wish, AVAILABLE[0])]
    lines.append("Change require.php in composer.json, run composer update, commit both files, and push again.")
    for line in lines:
        print(f" !     {line}", file=sys.stderr)
    return 1


def wished(build: Path) -> Iterator[tuple[str, Any]]:
    """Who asks for which PHP: the app, and each package that is installed."""
    for package in (read(build / "composer.json"), *packages(read(build / "composer.lock"))):
        requires = package.get("require")
        if isinstance(requires, dict) and "php" in requires:
            yield package.get("name") or "composer.json", requires["php"]


def packages(lock: dict[str, Any]) -> list[dict[str, Any]]:
    found = lock.get("packages")
    return [package for package in found if isinstance(package, dict)] if isinstance(found, list) else []


def read(path: Path) -> dict[str, Any]:
    """A JSON object; what can't be read is said by bin/compile."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
