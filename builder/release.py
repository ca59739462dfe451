"""What a buildpack's bin/release prints: a small YAML document (Heroku, "Buildpack API").

Read without a YAML library: block mappings of scalars, quoted, folded over several lines or literal, are all that
the API knows. Anything else is passed over.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KEY = re.compile(r"""(?P<key>"[^"]*"|'[^']*'|[^\s:#'"{\[&*!|>%@`-][^:#]*?)\s*:(?:\s+(?P<value>.*))?$""")
LITERAL, FOLDED = "|", ">"


@dataclass(frozen=True)
class ReleaseInfo:
    """Default process types, and default config vars."""

    processes: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)


def read_release(text: str) -> ReleaseInfo:
    """Parse the output of bin/release; nothing, `{}` and missing sections are fine."""
    found = _json(text) or sections(text)
    return ReleaseInfo(found.get("default_process_types", {}), found.get("config_vars", {}))


def _json(text: str) -> dict[str, dict[str, str]]:
    """JSON is YAML too, and some buildpacks print it."""
    try:
        found = json.loads(text.strip().removeprefix("---"))
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: {k: str(v) for k, v in values.items()} for name, values in found.items() if isinstance(values, dict)}


def sections(text: str) -> dict[str, dict[str, str]]:
    """The two upper levels of a block mapping; what is deeper is the value, as one text."""
    found: dict[str, dict[str, str]] = {}
    section = ""
    lines = [line.rstrip() for line in text.splitlines()]
    position = 0
    while position < len(lines):
        line, indent = lines[position], _indent(lines[position])
        position += 1
        match = KEY.fullmatch(line.strip())
        if not match:
            continue
        name = _unquoted(match["key"])
        if indent == 0:
            section = name
            continue
        more = _block(lines, position, indent)
        position += len(more)
        found.setdefault(section, {})[name] = _scalar(match["value"] or "", more)
    return found


def _block(lines: list[str], start: int, indent: int) -> list[str]:
    """The lines that continue a value: deeper than its key or a list's, blank ones between them included."""
    block: list[str] = []
    for line in lines[start:]:
        if line.strip() and _indent(line) + line.lstrip().startswith("- ") <= indent:
            break
        block.append(line)
    while block and not block[-1].strip():
        block.pop()
    return block


def _scalar(first: str, more: list[str]) -> str:
    if first[:1] == LITERAL:
        depth = min((_indent(line) for line in more if line.strip()), default=0)
        return "\n".join(line[depth:] for line in more)
    if first[:1] == FOLDED:
        first = ""
    return _unquoted(" ".join(part for part in (first, *(line.strip() for line in more)) if part))


def _unquoted(text: str) -> str:
    """A flow scalar's value (YAML 1.2, chapter 7.3)."""
    text = text.strip()
    if match := re.fullmatch(r"'((?:[^']|'')*)'(?:\s+#.*)?", text):
        return match[1].replace("''", "'")
    if match := re.fullmatch(r'("(?:[^"\\]|\\.)*")(?:\s+#.*)?', text):
        try:
            return str(json.loads(match[1]))
        except ValueError:
            return match[1][1:-1]
    return re.sub(r"\s+#.*$", "", text)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
