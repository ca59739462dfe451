"""The command table as an OpenAPI 3.1 document (spec.openapis.org/oas/v3.1.0)."""

from collections.abc import Iterable
from typing import Any

from mothership import __version__
from mothership.commands import web
from mothership.commands.parse import arguments, words
from mothership.commands.verb import Verb
from mothership.model import Role

ABOUT = """\
Every command of `ssh HOST help`, over HTTP. Reading ones are GET with query parameters, the others are POST with a JSON
body. With `Accept: text/event-stream` each of them answers line by line while it works: `line` events, then one `end`
event. Access tokens come from `tokens:create`."""
TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}
STREAM = "text/event-stream"
JSON = "application/json"
UPLOADS = (
    "application/gzip",
    "application/x-gzip",
    "application/x-tar",
    "application/x-bzip2",
    "application/x-xz",
    "application/zip",
    "application/octet-stream",
)
PROBLEMS = {
    "400": "What was asked for can't be.",
    "401": "No valid access token.",
    "403": "This user may not do that, or not over plain HTTP.",
    "404": "There is no such app, release, build, ….",
    "405": "That path takes another method.",
    "409": "Somebody or something else is in the way.",
    "413": "The body is larger than 1 MiB, or an archive than the server takes.",
    "415": "The body is not JSON.",
    "422": "The build or the release failed; what served before serves on.",
    "500": "A bug of Mothership; the server's log has it under the reference in the detail.",
    "503": "A part of the server can't be reached.",
}
BODIES = ("413", "415", "422")
"""What only requests with a body are answered with."""

APP = {
    "name": "app",
    "in": "path",
    "required": True,
    "description": "The app's name, or a preview's: NAME--APP.",
    "schema": {"type": "string", "minLength": 1},
    "example": "blog",
}
OUTPUT = {
    "type": "object",
    "required": ["exit", "lines", "errors"],
    "properties": {
        "exit": {"type": "integer", "description": "The command's exit status."},
        "lines": {"type": "array", "items": {"type": "string"}, "description": "What it printed."},
        "errors": {"type": "array", "items": {"type": "string"}, "description": "Its standard error."},
    },
}
DATA = {
    "type": "object",
    "required": ["exit", "data"],
    "properties": {"exit": {"type": "integer"}, "data": {"description": "What the command prints with --json."}},
}
PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "hint", "reason"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["urn:mothership:problem:not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What happened."},
        "hint": {"type": "string", "description": "What to do next; it may be empty."},
        "reason": {"type": "string", "description": "The short form, as git shows it."},
    },
}


def document(verbs: Iterable[Verb[Any]]) -> dict[str, Any]:
    """The whole description; deterministic, so that it can be compared."""
    paths: dict[str, Any] = {}
    for verb in verbs:
        paths.setdefault(web.path(verb), {})[web.method(verb).lower()] = operation(verb)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mothership", "version": __version__, "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access token."},
                "basic": {"type": "http", "scheme": "basic", "description": "Any user name; the token as password."},
            },
            "schemas": {"Output": OUTPUT, "Data": DATA, "Problem": PROBLEM},
            "responses": {status: _problem(about) for status, about in PROBLEMS.items()},
        },
    }


def operation_id(verb: Verb[Any]) -> str:
    return verb.name.replace(":", "_")


def operation(verb: Verb[Any]) -> dict[str, Any]:
    """One verb."""
    made: dict[str, Any] = {
        "operationId": operation_id(verb),
        "summary": verb.summary,
        "description": who(verb),
        "tags": [verb.name.partition(":")[0]],
        "parameters": [APP] if verb.app else [],
        "responses": {"200": _success(verb), **_problems(verb)},
    }
    if verb.reads:
        made["parameters"] += [_parameter(field) for field in web.fields(verb)]
    elif fields := web.fields(verb):
        content: dict[str, Any] = {"schema": _body(fields)}
        if examples := _examples(verb):
            content["examples"] = examples
        if verb.uploads:
            made["parameters"] = [*made["parameters"], *(_parameter(field) for field in fields if field.name != "tar")]
            made["description"] += (
                " The archive is the body, and the rest parameters of the query; or all of it is JSON."
            )
        made["requestBody"] = {
            "required": any(field.required for field in fields),
            "content": {JSON: content} | _uploads(verb),
        }
    return made


def _uploads(verb: Verb[Any]) -> dict[str, Any]:
    """The kinds of archive that a verb takes as the body."""
    return {kind: {} for kind in UPLOADS} if verb.uploads else {}


def who(verb: Verb[Any]) -> str:
    """Whom a verb is for, as a sentence."""
    if verb.admin:
        return "For admins of the server."
    if not verb.app:
        return "For every user."
    if verb.role is Role.OWNER:
        return "For the app's owner, and admins."
    return f"For those who are at least {verb.role.title} of the app."


def _parameter(field: web.Field) -> dict[str, Any]:
    made = {"name": field.name, "in": "query", "required": field.required, "schema": schema(field)}
    return made | ({"description": field.about} if field.about else {})


def _body(fields: tuple[web.Field, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: schema(field) for field in fields},
        "additionalProperties": False,
    }
    required = [field.name for field in fields if field.required]
    return made | ({"required": required} if required else {})


def schema(field: web.Field) -> dict[str, Any]:
    """A field's JSON schema."""
    made: dict[str, Any]
    if field.kind == web.MANY:
        made = {"type": "array", "items": {"type": "string"}, "minItems": int(field.required)}
    else:
        made = {"type": TYPES[field.kind]}
    if field.kind in (int, float):
        made |= {"minimum": web.NARROW[0], "maximum": web.NARROW[1]}
    if not field.required:
        made["default"] = list(field.default) if field.kind == web.MANY else field.default
    return made | ({"description": field.about} if field.about else {})


def _examples(verb: Verb[Any]) -> dict[str, Any]:
    """The verb's example command lines, as bodies."""
    return {f"example{n}": {"summary": line, "value": value} for n, line, value in _parsed(verb)}


def _parsed(verb: Verb[Any]) -> list[tuple[int, str, dict[str, Any]]]:
    found = []
    for number, line in enumerate(verb.examples, 1):
        args = arguments(verb, words(line.partition(" < ")[0])[1:])  # a request has no standard input
        said = {field.name: getattr(args, field.name) for field in web.fields(verb)}
        defaults = {field.name: field.default for field in web.fields(verb) if not field.required}
        value = {name: list(v) if isinstance(v, tuple) else v for name, v in said.items() if v != defaults.get(name)}
        found.append((number, line, value))
    return found


def _data(verb: Verb[Any]) -> dict[str, Any]:
    """What a verb that speaks JSON answers with: its columns."""
    row = {
        "type": "object",
        "properties": {column.name: column.schema for column in verb.row},
        "required": [column.name for column in verb.row],
        "additionalProperties": False,
    }
    data = row if verb.single else {"type": "array", "items": row}
    return {"allOf": [{"$ref": "#/components/schemas/Data"}, {"properties": {"data": data}}]}


def _success(verb: Verb[Any]) -> dict[str, Any]:
    answer = _data(verb) if web.speaks_json(verb) else {"$ref": "#/components/schemas/Output"}
    return {
        "description": "The command has ended, or streams what it prints.",
        "content": {
            JSON: {"schema": answer},
            STREAM: {"schema": {"type": "string"}},
        },
    }


def _problems(verb: Verb[Any]) -> dict[str, Any]:
    return {
        status: {"$ref": f"#/components/responses/{status}"}
        for status in PROBLEMS
        if not (verb.reads and status in BODIES)
    }


def _problem(about: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": about, "content": content}
