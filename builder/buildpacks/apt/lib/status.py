"""Print dpkg's status of those installed packages that the run image has, too: its own list and what that needs.

Usage: status.py STATUS LIST (deb-control(5), dpkg(1)).
"""

# ruff: noqa: T201

import re
import sys
from pathlib import Path

NEEDS = re.compile(r"^(?:Pre-Depends|Depends): (.*)$", re.MULTILINE)


def main(status: Path, listed: Path) -> None:
    blocks = {field(block, "Package"): block for block in status.read_text().split("\n\n") if block.strip()}
    providers: dict[str, str] = {}
    for name, block in blocks.items():
        for given in names(field(block, "Provides")):
            providers.setdefault(given, name)
    todo = [name for name, block in blocks.items() if field(block, "Priority") == "required"]
    todo += [line.partition("#")[0].strip() for line in listed.read_text().splitlines()] + ["apt", "ca-certificates"]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        name = name if name in blocks else providers.get(name, "")
        if name and name not in found:
            found.add(name)
            todo += [needed for line in NEEDS.findall(blocks[name]) for needed in names(line)]
    print("\n\n".join(blocks[name] for name in sorted(found)) + "\n")


def field(block: str, name: str) -> str:
    match = re.search(rf"^{name}: (.*)$", block, re.MULTILINE)
    return match[1] if match else ""


def names(line: str) -> list[str]:
    """The packages of a relationship field, alternatives too, without versions and architectures."""
    return [re.split(r"[\s(:]", part.strip(), maxsplit=1)[0] for part in re.split(r"[,|]", line) if part.strip()]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
