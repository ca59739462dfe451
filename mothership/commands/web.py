"""How the verbs are reached over HTTP: their methods, their paths, and their arguments as JSON."""

import dataclasses
import math
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mothership.commands.verb import Verb
from mothership.errors import Invalid

ROOT = "/api/v1"
LONGEST = 128 * 1024
"""Characters in one text, as many as an SSH command line may have."""

NARROW = (-(2**31), 2**31 - 1)
MANY = tuple[str, ...]
APART = frozenset({"app", "json"})
"""Arguments that aren't fields of a request: the app stands in the path, and the answer is JSON as it is."""

FORMAT = "--json-lines"
"""A flag that is no field either, for the same reason."""


@dataclass(frozen=True)
class Field:
    """An argument of a verb, as a query parameter or a member of the body; `kind` is str, bool, int, float or MANY."""

    name: str
    kind: Any
    required: bool
    default: Any
    about: str


def method(verb: Verb[Any]) -> str:
    return "GET" if verb.reads else "POST"


def path(verb: Verb[Any]) -> str:
    """`config:set` → /api/v1/apps/{app}/config/set; the verbs of `apps:` that are about one stand right below it."""
    words = verb.name.replace(":", "/")
    return f"{ROOT}/apps/{{app}}/{words.removeprefix('apps/')}" if verb.app else f"{ROOT}/{words}"


def speaks_json(verb: Verb[Any]) -> bool:
    """Whether the verb can print JSON, which the API asks it for."""
    return any(field.name == "json" for field in dataclasses.fields(verb.arguments))


def follows(verb: Verb[Any]) -> bool:
    """Whether the verb can go on and on, which only a stream can answer."""
    return any(field.name == "follow" for field in dataclasses.fields(verb.arguments))


def fields(verb: Verb[Any]) -> tuple[Field, ...]:
    """What a request may say, in the order of the command line."""
    kinds = typing.get_type_hints(verb.arguments)
    return tuple(
        Field(
            name=field.name,
            kind=kinds[field.name],
            required=field.default is dataclasses.MISSING,
            default=None if field.default is dataclasses.MISSING else field.default,
            about=field.metadata.get("help") or field.metadata.get("metavar") or "",
        )
        for field in dataclasses.fields(verb.arguments)
        if field.name not in APART and FORMAT not in field.metadata.get("flags", ())
    )


def read(verb: Verb[Any], app: str, given: Mapping[str, Any], *, as_json: bool) -> Any:
    """The verb's arguments from what a JSON body says. Raises Invalid."""
    known = {field.name: field for field in fields(verb)}
    for name in given:
        if name not in known:
            raise Invalid(f"{verb.name} has no field {name[:60]!r}.", _has(known))
    missing = [name for name, field in known.items() if field.required and name not in given]
    if missing:
        raise Invalid(f"The field {missing[0]} is missing.", _has(known))
    values = {name: _value(known[name], value) for name, value in given.items()}
    if verb.app:
        values["app"] = app
    if as_json:
        values["json"] = True
    return verb.arguments(**values)


def from_query(verb: Verb[Any], query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Query parameters as a JSON body would say them; a list is the same name several times. Raises Invalid."""
    kinds = {field.name: field.kind for field in fields(verb)}
    said: dict[str, Any] = {}
    for name, text in query:
        if kinds.get(name) == MANY:
            said.setdefault(name, []).append(text)
        elif name in said:
            raise Invalid(f"The parameter {name[:60]} is there twice.")
        else:
            said[name] = _parsed(name, kinds.get(name, str), text)
    return said


def from_upload(verb: Verb[Any], query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Query parameters of a request whose body is the archive. Raises Invalid."""
    return from_query(verb, query) | {"tar": "-"}


def _parsed(name: str, kind: Any, text: str) -> Any:
    try:
        if kind is bool:
            return {"true": True, "false": False}[text]
        if kind in (int, float) and text.isascii():
            return kind(text)
    except (KeyError, ValueError):
        pass
    return text


def _value(field: Field, value: Any) -> Any:
    if field.kind == MANY:
        if not isinstance(value, list) or (field.required and not value):
            raise Invalid(f"{field.name} must be a list of texts{', at least one' if field.required else ''}.")
        return tuple(_text(field.name, item) for item in value)
    if field.kind is bool:
        if not isinstance(value, bool):
            raise Invalid(f"{field.name} must be true or false.")
        return value
    if field.kind in (int, float):
        return _number(field, value)
    return _text(field.name, value)


def _number(field: Field, value: Any) -> int | float:
    whole = field.kind is int
    wanted = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise Invalid(f"{field.name} must be a {'whole ' if whole else ''}number.")
    if not (NARROW[0] <= value <= NARROW[1]) or math.isnan(value):
        raise Invalid(f"{field.name} must be from {NARROW[0]} to {NARROW[1]}.")
    return field.kind(value)  # type: ignore[no-any-return]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{name} must be text.")
    if len(value) > LONGEST:
        raise Invalid(f"{name} is longer than {LONGEST // 1024} KiB.")
    if "\0" in value:
        raise Invalid(f"{name} has a NUL character in it.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Invalid(f"{name} has half a character in it: it is not valid Unicode.") from error
    return value


def _has(known: Mapping[str, Field]) -> str:
    return f"It has: {', '.join(known)}." if known else "It has none."
