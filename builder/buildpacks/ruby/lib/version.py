"""Which Ruby an app asks for: prints, a line each, the stack's extra, a version, the Gemfile's demand, the place, and
whether the version given as second argument will do (yes, no).

The Gemfile's demand is what Bundler enforces; Gemfile.lock, .ruby-version and .tool-versions name a wish.
"""

# ruff: noqa: T201

import re
import sys
from pathlib import Path

EXTRAS = {"3.3": "ruby", "3.1": "ruby-3.1"}
"""What the stack can have, by series; the first is the default."""

Numbers = tuple[int, ...]
Clause = tuple[str, Numbers]
DIRECTIVE = re.compile(r"^\s*ruby[\s(]\s*(?P<rest>[^#\n]+)", re.MULTILINE)
CLAUSE = re.compile(r"[\"']\s*(~>|>=|<=|!=|>|<|=)?\s*(\d+(?:\.\d+){0,2})(?:\.(?:p|pre|rc|preview)\w*|-?p\d+)?\s*[\"']")
LOCKED = re.compile(r"^RUBY VERSION\n\s+ruby (\d+\.\d+\.\d+)(?:p-?\d+)?(.*)$", re.MULTILINE)
OTHER_ENGINE = re.compile(r"engine:\s*[\"'](?!ruby)|engine\s*=>\s*[\"'](?!ruby)")


class Problem(Exception):
    """The lines that say what is wrong and what to do."""


def main(root: Path, have: str) -> None:
    clauses, wish, place = asked(root)
    if wish and not met(numbers(wish), clauses):
        wish = ""
    wish = wish or next((dotted(version) for sign, version in clauses if sign == "=" and len(version) == 3), "")
    extra = fitting(clauses, wish)
    ok = bool(have) and met(numbers(have), clauses) and (not wish or series(have) == series(wish))
    print(extra, wish, " ".join(f"{sign} {dotted(version)}" for sign, version in clauses), place, sep="\n")
    print("yes" if ok else "no")
    print("yes" if have and met(numbers(have), clauses) else "no")


def asked(root: Path) -> tuple[list[Clause], str, str]:
    """The Gemfile's demand, the exact version that some file names, and the place to tell people about."""
    clauses: list[Clause] = []
    place = ""
    if match := DIRECTIVE.search(text(root / "Gemfile")):
        rest, place = match["rest"], "the Gemfile"
        if OTHER_ENGINE.search(rest):
            raise Problem("The Gemfile asks for another Ruby than MRI, which is not here.", f"There is: {offered()}")
        if file := re.search(r"\.(?:ruby-version|tool-versions)", rest):
            clauses = [demand(version) for version in [from_file(root / file[0])] if version]
            place = file[0]
        else:
            clauses = [(sign or "=", numbers(version)) for sign, version in CLAUSE.findall(rest)]
    if match := LOCKED.search(text(root / "Gemfile.lock")):
        return clauses, match[1], place or "Gemfile.lock"
    if not clauses:
        for name in (".ruby-version", ".tool-versions"):
            if version := from_file(root / name):
                return [demand(series(version))], full(version), name
    return clauses, "", place


def demand(version: str) -> Clause:
    """Exactly a full version; of a shorter one (3.3, 3) whatever begins with it."""
    return ("=", numbers(version)) if version.count(".") == 2 else ("~>", (*numbers(version), 0))


def from_file(path: Path) -> str:
    pattern = r"^\s*ruby\s+(\S+)" if path.name == ".tool-versions" else r"^\s*([^\s#]+)"
    match = re.search(pattern, text(path), re.MULTILINE)
    if not match:
        return ""
    version = re.fullmatch(r"(?:ruby-)?(\d+(?:\.\d+){0,2})(?:-?p\d+)?", match[1])
    if not version:
        raise Problem(
            f"{path.name} asks for Ruby {match[1][:60]!r}, which is not a version of MRI.", f"There is: {offered()}"
        )
    return version[1]


def full(version: str) -> str:
    return version if version.count(".") == 2 else ""


def fitting(clauses: list[Clause], wish: str) -> str:
    """The extra with a Ruby of the wished series, else one that the Gemfile may like, else the default."""
    if wish and series(wish) in EXTRAS:
        return EXTRAS[series(wish)]
    patches = ((name, (*numbers(name), patch)) for name in EXTRAS for patch in range(100))
    return EXTRAS[next((name for name, version in patches if met(version, clauses)), next(iter(EXTRAS)))]


def met(version: Numbers, clauses: list[Clause]) -> bool:
    return all(compare(version, sign, bound) for sign, bound in clauses)


def compare(version: Numbers, sign: str, bound: Numbers) -> bool:
    """RubyGems's comparisons (Gem::Requirement); a bare "3.3" for a Ruby means any 3.3."""
    padded = (*bound, 0, 0)[:3]
    if sign == "=":
        return version[: len(bound)] == bound
    if sign == "!=":
        return version[: len(bound)] != bound
    if sign == "~>":
        return version >= padded and version[: max(len(bound) - 1, 1)] == bound[: max(len(bound) - 1, 1)]
    return {">=": version >= padded, "<=": version <= padded, ">": version > padded, "<": version < padded}[sign]


def series(version: str) -> str:
    return ".".join(version.split(".")[:2])


def numbers(version: str) -> Numbers:
    return tuple(int(part) for part in version.split("."))


def dotted(version: Numbers) -> str:
    return ".".join(str(part) for part in version)


def offered() -> str:
    return ", ".join(EXTRAS)


def text(path: Path) -> str:
    return path.read_text(errors="replace").replace("\r\n", "\n") if path.is_file() else ""


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except Problem as problem:
        print(*problem.args, sep="\n")
        sys.exit(1)
