"""The command table as a page: `python -m mothership.commands.reference > docs/reference.md`."""

import dataclasses
import sys
from collections.abc import Iterable
from typing import Any

from mothership.commands import openapi, web
from mothership.commands.parse import usage
from mothership.commands.table import VERBS
from mothership.commands.verb import Verb

COMMAND = "python -m mothership.commands.reference > docs/reference.md"
HEAD = f"""\
# Reference

<!-- Made by `{COMMAND}`; change the command table instead. -->

Each command works the same over SSH (`ssh -p 2222 HOST COMMAND`), with the client in a clone (`mothership COMMAND`, the
app being the clone's own) and over HTTP ([the API](api.md)). The app may be given by `-a` or `--app`, too.

The client has three of its own: `mothership init HOST` adds the git remote to a clone, `mothership config:edit` opens
the config vars in your editor, `mothership completion bash` (or zsh, or fish) prints a completion script. Its `deploy`
takes files and folders of your machine: `mothership deploy --dir .`, `mothership deploy --tar app.tar.gz`.
"""


def page(verbs: Iterable[Verb[Any]]) -> str:
    """The whole page."""
    listed = list(verbs)
    index = [f"| [`{verb.name}`](#{_anchor(verb.name)}) | {_cell(verb.summary)} |" for verb in listed]
    parts = [HEAD, "\n".join(["| command | what it does |", "|---|---|", *index]), *map(section, listed)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def section(verb: Verb[Any]) -> str:
    """One verb."""
    parts = [
        f"## {verb.name}",
        f"{verb.summary} {openapi.who(verb)}",
        f"```\n{usage(verb).removeprefix('Usage: ')}\n```",
        _options(verb),
        f"HTTP: `{web.method(verb)} {web.path(verb)}`{_said(verb)}",
        _columns(verb),
    ]
    if verb.examples:
        parts.append("\n".join(["For example:", "", "```", *verb.examples, "```"]))
    return "\n\n".join(part for part in parts if part)


def _options(verb: Verb[Any]) -> str:
    rows = [
        f"| {', '.join(f'`{flag}`' for flag in field.metadata['flags'])} | {_cell(field.metadata['help'])} "
        f"| {_default(field.default)} |"
        for field in dataclasses.fields(verb.arguments)
        if "flags" in field.metadata
    ]
    return "\n".join(["| option | | default |", "|---|---|---|", *rows]) if rows else ""


def _default(value: object) -> str:
    return "" if isinstance(value, bool) or value in ("", 0, ()) else f"`{value}`"


def _said(verb: Verb[Any]) -> str:
    """The names that a request may use."""
    names = ", ".join(f"`{field.name}`{'' if field.required else '?'}" for field in web.fields(verb))
    return f" with {names}" if names else ""


def _columns(verb: Verb[Any]) -> str:
    """What its JSON is made of."""
    if not verb.columns:
        return ""
    rows = [f"| `{column.name}` | {column.words} |" for column in verb.row]
    head = "| JSON | |" if verb.single else "| JSON, each row | |"
    return "\n".join([head, "|---|---|", *rows])


def _anchor(name: str) -> str:
    return name.replace(":", "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page(VERBS.values()))
