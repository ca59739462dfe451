"""What a listing's JSON promises: the names of its columns, in one order for ever, and their types."""

from dataclasses import dataclass
from typing import Any

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "string": ("string", {"type": "string"}),
    "integer": ("integer", {"type": "integer"}),
    "number": ("number", {"type": "number"}),
    "boolean": ("boolean", {"type": "boolean"}),
    "time": ("time (RFC 3339)", {"type": "string", "format": "date-time"}),
    "strings": ("array of strings", {"type": "array", "items": {"type": "string"}}),
    "string by name": ("object of strings", {"type": "object", "additionalProperties": {"type": "string"}}),
    "integer by name": ("object of integers", {"type": "object", "additionalProperties": {"type": "integer"}}),
}
"""Each kind's words and its JSON schema."""


@dataclass(frozen=True)
class Column:
    """One column. `nullable` ones are null where there is nothing to say."""

    name: str
    kind: str = "string"
    nullable: bool = False

    @property
    def words(self) -> str:
        """The type in a sentence."""
        return KINDS[self.kind][0] + (" or null" if self.nullable else "")

    @property
    def schema(self) -> dict[str, Any]:
        """The type as JSON schema (draft 2020-12, as OpenAPI 3.1 has it)."""
        schema = KINDS[self.kind][1]
        return {**schema, "type": [schema["type"], "null"]} if self.nullable else schema


def column(text: str) -> Column:
    """A column as verbs write it: `name`, `name: integer`, `name: time?`; a `?` makes it nullable."""
    name, _, kind = text.rstrip("?").partition(": ")
    made = Column(name, kind or "string", text.endswith("?"))
    if made.kind not in KINDS:
        raise ValueError(f"{text!r} has no known type.")
    return made
