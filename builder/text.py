"""YAML documents of other people's: every scalar is the text that was written."""

from collections.abc import Mapping
from typing import Any

import yaml

Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Knows no types (PyYAML): `yes`, `8080` and `~` stay what they are."""


def document(text: str) -> Mapping[Any, Any]:
    """A document's mapping; empty for any other document, or for what isn't YAML."""
    try:
        found = yaml.load(text, Loader=Loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def scalars(found: object) -> dict[str, str]:
    """Of a mapping, the pairs of texts."""
    pairs = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in pairs if isinstance(key, str) and isinstance(value, str)}
