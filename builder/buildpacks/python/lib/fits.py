"""Print the first of the versions given that meets a request: a version or PEP 440 clauses.

Usage: fits.py REQUEST VERSION…  Of a version in two parts, such as 3.14, any patch release may be meant.
"""

# ruff: noqa: T201

import re
import sys
from collections.abc import Iterator

CLAUSE = re.compile(r"(~=|===?|!=|<=|>=|<|>)?\s*v?(\d+(?:\.\d+)*)(\.\*)?.*")
PATCHES = 40
Version = tuple[int, ...]


def main(request: str, versions: list[str]) -> int:
    clauses = [clause for text in request.split(",") if (clause := parsed(text.strip()))]
    for version in versions:
        if any(all(meets(candidate, *clause) for clause in clauses) for candidate in candidates(version)):
            print(version)
            return 0
    return 1


def parsed(text: str) -> tuple[str, Version] | None:
    """A clause as an operator and a version; a version alone, or one with `.*`, is a prefix (`=*`)."""
    match = CLAUSE.fullmatch(text)
    if not match:
        return None
    operator, numbers, star = match.groups()
    if not operator or star:
        operator = "!*" if operator == "!=" else "=*"
    return operator, tuple(int(number) for number in numbers.split("."))


def candidates(version: str) -> Iterator[Version]:
    numbers = tuple(int(number) for number in version.split("."))
    if len(numbers) == 3:
        yield numbers
    else:
        yield from ((*numbers, patch) for patch in range(PATCHES))


def meets(version: Version, operator: str, bound: Version) -> bool:
    full = (*bound, 0, 0)[:3]
    same = version[: len(bound)] == bound
    return {
        "=*": same,
        "!*": not same,
        "==": version == full,
        "===": version == full,
        "!=": version != full,
        ">=": version >= full,
        "<=": version <= full,
        ">": version > full,
        "<": version < full,
        "~=": version >= full and version[: len(bound) - 1] == bound[:-1],
    }[operator]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
