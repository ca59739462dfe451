"""The client's own options among a command's words: which remote, and which app."""

import click

from mothership.commands.parse import APP_FLAGS

REMOTE = "--remote"


def take_remote(argv: list[str], *, rest: bool) -> tuple[str, list[str]]:
    """The remote that is named among the options, "" if none is, and the arguments without it.

    Raises click.UsageError when its name is missing.
    """
    name, end = "", _options_end(argv, rest=rest)
    before, after = argv[:end], argv[end:]
    while REMOTE in before:
        at = before.index(REMOTE)
        if at + 1 == len(before):
            raise click.UsageError(f"Option {REMOTE!r} requires an argument.")
        name = before[at + 1]
        del before[at : at + 2]
    for word in [word for word in before if word.startswith(f"{REMOTE}=")]:
        name = word.partition("=")[2]
        before.remove(word)
    return name, before + after


def with_app(argv: list[str], app: str, *, rest: bool) -> list[str]:
    """The arguments with the clone's app in them, unless the user named another."""
    if any(word in ("-h", "--help") for word in (argv[:1] if rest else argv)):
        return argv[:1] if rest else argv
    if any(word in APP_FLAGS or word.startswith("--app=") for word in argv[: _options_end(argv, rest=rest)]):
        return argv
    return ["--app", app, *argv]


def _options_end(argv: list[str], *, rest: bool) -> int:
    """Where the words end that can be options of ours: at "--", or for `run` where its command begins."""
    if not rest:
        return argv.index("--") if "--" in argv else len(argv)
    at = 0
    while at < len(argv) and argv[at].partition("=")[0] in (*APP_FLAGS, REMOTE):
        at += 1 if "=" in argv[at] else 2
    return min(at, len(argv))
