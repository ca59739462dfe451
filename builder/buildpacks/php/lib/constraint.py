"""Composer's version constraints (getcomposer.org/doc/articles/versions.md)."""

import re
from collections.abc import Iterator

Version = tuple[int, ...]
PATCHES = 60
CLAUSE = re.compile(r"(\^|~|>=|<=|!=|<>|==?|<|>)?\s*v?(\d+(?:\.\d+)*)((?:\.[*xX])*)(?:[-@+][\w.]*)?")


def allows(constraint: str, minor: str) -> bool:
    """Whether some patch release of a version such as 8.4 meets a constraint. What can't be read is met by all."""
    versions = [(*numbers(minor), patch) for patch in range(PATCHES)]
    alternatives = [part.strip() for part in re.split(r"\|\|?", constraint)]
    return any(all(meets(version, part) for part in clauses(each)) for each in alternatives for version in versions)


def clauses(text: str) -> Iterator[tuple[str, Version]]:
    """The clauses of one alternative, each an operator and a version."""
    if match := re.fullmatch(r"v?(\d[\d.]*)\s+-\s+v?(\d[\d.]*)", text):
        yield ">=", numbers(match[1])
        yield "<=*", numbers(match[2])
        return
    for match in CLAUSE.finditer(text):
        operator, bound, star = match.groups()
        yield "=*" if star else operator or "=", numbers(bound)


def meets(version: Version, clause: tuple[str, Version]) -> bool:
    operator, bound = clause
    full = (*bound, 0, 0)[:3]
    match operator:
        case "^":
            return version >= full and version[:1] == bound[:1]
        case "~":
            return version >= full and version[: max(len(bound) - 1, 1)] == bound[: max(len(bound) - 1, 1)]
        case "=*":
            return version[: len(bound)] == bound
        case "<=*":
            return version[: len(bound)] <= bound
        case "!=" | "<>":
            return version != full
        case ">=":
            return version >= full
        case "<=":
            return version <= full
        case "<":
            return version < full
        case ">":
            return version > full
        case _:
            return version == full


def numbers(text: str) -> Version:
    return tuple(int(number) for number in text.split(".") if number)[:3]
