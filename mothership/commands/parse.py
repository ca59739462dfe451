"""A command line becomes a verb and its arguments; click does the parsing."""

import dataclasses
import difflib
import shlex
from typing import Any

import click

from mothership.commands.verb import Verb
from mothership.errors import Invalid

LONGEST = 128 * 1024
APP_FLAGS = ("-a", "--app")


def words(line: str) -> list[str]:
    """Split a command line once, by shell quoting rules but without a shell. Raises Invalid."""
    if len(line) > LONGEST:
        raise Invalid(f"The command line is longer than {LONGEST // 1024} KiB.", reason="command line too long")
    if "\0" in line:
        raise Invalid("The command line has a NUL character in it.")
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Invalid(f"The command line can't be split into words: {error}.", "Close every quote.") from error


def find(verbs: dict[str, Verb[Any]], name: str) -> Verb[Any]:
    """The verb of that name. Raises Invalid with what was probably meant."""
    if name in verbs:
        return verbs[name]
    near = difflib.get_close_matches(name, verbs, n=1, cutoff=0.6)
    shown = "".join(c if c.isprintable() else "?" for c in name[:60])
    hint = f"Did you mean {near[0]}?" if near else "See what there is: help"
    raise Invalid(f"{shown!r} is not a Mothership command.", hint, reason="unknown command")


def arguments(verb: Verb[Any], argv: list[str]) -> Any:
    """Parse a verb's arguments into its dataclass. Raises Invalid."""
    named = _names_app(argv)
    command = click_command(verb, app_option=named)
    try:
        context = command.make_context(verb.name, list(argv))
    except click.exceptions.Exit:
        raise Invalid(help_text(verb)) from None
    except click.ClickException as error:
        raise Invalid(f"{verb.name}: {_short(error.format_message())}", usage(verb), reason="bad arguments") from error
    return verb.arguments(**{name: _plain(value) for name, value in context.params.items()})


def usage(verb: Verb[Any]) -> str:
    """One line: how the verb is called."""
    command = click_command(verb, app_option=False)
    pieces = command.collect_usage_pieces(click.Context(command, info_name=verb.name))
    return "Usage: " + " ".join([verb.name, *pieces])


def help_text(verb: Verb[Any]) -> str:
    """The verb's own help page."""
    command = click_command(verb, app_option=False)
    text = command.get_help(click.Context(command, info_name=verb.name, max_content_width=100))
    if verb.examples:
        text += "\n\nExamples:\n" + "\n".join(f"  {example}" for example in verb.examples)
    return text


def click_command(verb: Verb[Any], *, app_option: bool) -> click.Command:
    """The click command of a verb; the app is its first argument, or an option."""
    params = [_param(field, app_option=app_option) for field in dataclasses.fields(verb.arguments)]
    settings: dict[str, Any] = {"help_option_names": ["-h", "--help"], "allow_interspersed_args": not verb.rest}
    return click.Command(verb.name, params=params, help=verb.summary, context_settings=settings)


def _param(field: Any, *, app_option: bool) -> click.Parameter:
    missing = field.default is dataclasses.MISSING
    if field.name == "app":
        if app_option:
            return click.Option([*APP_FLAGS, "app"], required=True, help="The app.")
        return click.Argument(["app"], required=True, metavar="APP")
    about = field.metadata
    if "flags" in about:
        if isinstance(field.default, bool):
            return click.Option([*about["flags"], field.name], is_flag=True, default=False, help=about["help"])
        if isinstance(field.default, tuple):
            return click.Option([*about["flags"], field.name], multiple=True, type=str, help=about["help"])
        kind = about["kind"] or type(field.default)
        return click.Option(
            [*about["flags"], field.name], default=field.default, type=kind, help=about["help"], show_default=True
        )
    if about.get("many"):
        return click.Argument([field.name], nargs=-1, required=missing, metavar=about["metavar"])
    if missing:
        return click.Argument([field.name], required=True, metavar=about.get("metavar"))
    return click.Argument([field.name], required=False, default=field.default, metavar=about.get("metavar"))


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"


def _names_app(argv: list[str]) -> bool:
    """Whether the app is given by `-a` or `--app`, before any `--` or (for run) the command."""
    for word in argv:
        if word == "--":
            return False
        if word in APP_FLAGS or word.startswith("--app="):
            return True
    return False


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
