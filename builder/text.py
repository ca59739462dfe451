"""YAML documents of other people's: every scalar is the text that was written."""

from collections.abc import Mapping
from typing import Any

import yaml

Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Knows no types (PyYAML): `yes`, `8080` and `~` stay what they are."""


LARGEST = 4 * 1024 * 1024
"""Characters of a document whose aliases are written out."""


def parsed(text: str) -> Mapping[Any, Any]:
    """A document's mapping; empty for any other document. Raises ValueError, which says why."""
    try:
        found = yaml.load(text, Loader=Loader)
        if _size(found, {}) > LARGEST:
            raise ValueError(f"with its aliases written out it is larger than {LARGEST >> 20} MiB")
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"{line}{error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError("it is not YAML") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return found if isinstance(found, dict) else {}


def document(text: str) -> Mapping[Any, Any]:
    """A document's mapping; empty for any other document, or for what can't be read."""
    try:
        return parsed(text)
    except ValueError:
        return {}


def scalars(found: object) -> dict[str, str]:
    """Of a mapping, the pairs of texts."""
    pairs = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in pairs if isinstance(key, str) and isinstance(value, str)}


def is_text(found: str) -> bool:
    """Whether a program can be given it: without NUL characters and halves of surrogate pairs."""
    return found.isprintable() or not ("\0" in found or any("\ud800" <= each <= "\udfff" for each in found))


def _size(found: object, known: dict[int, int]) -> int:
    """The characters below a node, each alias counted as what it stands for. Raises ValueError."""
    if isinstance(found, str):
        if not is_text(found):
            raise ValueError("it has a NUL or half a character in it")
        return len(found) + 1
    if id(found) not in known:
        known[id(found)] = -1
        parts = [*found, *found.values()] if isinstance(found, dict) else found if isinstance(found, list) else ()
        known[id(found)] = 1 + sum(_size(part, known) for part in parts)
    if known[id(found)] < 0:
        raise ValueError("it has an alias inside of what it stands for")
    return known[id(found)]
