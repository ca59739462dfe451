"""Print the folder of an app that visitors may see, "" for the whole of it."""

# ruff: noqa: T201

import json
import sys
from pathlib import Path
from typing import Any

FOLDERS = ("public", "web")


def main(build: Path) -> None:
    named = (declared(build), *(name for name in FOLDERS if (build / name / "index.php").is_file()))
    print(next((name for name in named if name and (build / name).is_dir()), ""))


def declared(build: Path) -> str:
    """What composer.json says: extra.heroku.document-root, or Symfony's extra.public-dir."""
    try:
        extra = section(json.loads((build / "composer.json").read_text()), "extra")
    except (OSError, ValueError):
        return ""
    found = section(extra, "heroku").get("document-root") or extra.get("public-dir") or ""
    return found.strip("/") if isinstance(found, str) and inside(build, found) else ""


def section(parent: Any, name: str) -> dict[str, Any]:
    found = parent.get(name) if isinstance(parent, dict) else None
    return found if isinstance(found, dict) else {}


def inside(build: Path, name: str) -> bool:
    return (build / name).resolve().is_relative_to(build.resolve()) and not set(name) & set(" \"'`$&;|<>\n\\")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
