"""The `mothership` command: `serve` on a server, every other verb over the user's own ssh."""

import asyncio
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click

from mothership import __version__, config, log, remote
from mothership.commands.table import VERBS
from mothership.errors import MothershipError

LOCAL = {"serve", "init", "--version"}
CONTEXT = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Deploy with git push, operate with these commands; they work in a clone that has the git remote.",
)
@click.version_option(__version__, prog_name="mothership")
@click.option("--remote", "name", default="mothership", show_default=True, help="The git remote to talk to.")
@click.pass_context
def main(context: click.Context, name: str) -> None:
    context.obj = name
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@main.command()
@click.option("--data", type=click.Path(path_type=Path), default=config.DATA, show_default=True)
def serve(data: Path) -> None:
    """Run the server (systemd or scripts/up does this)."""
    from mothership.server import serve as run_server

    log.configure()
    try:
        asyncio.run(run_server(config.load(data)))
    except MothershipError as error:
        raise _shown(error) from error


@main.command()
@click.argument("host")
@click.option("-a", "--app", default="", help="The app's name; the folder's by default.")
@click.option("-p", "--port", default=2222, show_default=True, help="The server's SSH port.")
@click.pass_obj
def init(name: str, host: str, app: str, port: int) -> None:
    """Add the git remote of a server to this clone."""
    app = app or Path.cwd().name.lower().replace("_", "-")
    url = f"ssh://mothership@{host}:{port}/{app}"
    if subprocess.run(["git", "remote", "add", name, url], check=False).returncode:
        raise click.ClickException(f"git could not add the remote. To change it: git remote set-url {name} {url}")
    click.echo(f"Added the remote {name}: {url}")
    click.echo(f"Deploy: git push {name} main")


def _forward(verb: str, rest: bool, app: bool) -> click.Command:
    @click.pass_obj
    def call(name: str, argv: tuple[str, ...]) -> None:
        try:
            target = remote.find(name)
        except MothershipError as error:
            raise _shown(error) from error
        given = _with_app(list(argv), target.app, rest=rest) if app else list(argv)
        words = [verb, *given]
        terminal = rest and sys.stdin.isatty() and sys.stdout.isatty()
        command = [*target.ssh(terminal=terminal), shlex.join(words)]
        os.execvp(command[0], command)

    argument = click.Argument(["argv"], nargs=-1, type=click.UNPROCESSED)
    return click.Command(verb, callback=call, params=[argument], help=VERBS[verb].summary, context_settings=CONTEXT)


def _with_app(argv: list[str], app: str, *, rest: bool) -> list[str]:
    """The arguments with the clone's app in them, unless the user named another."""
    if any(word in ("-h", "--help") for word in (argv[:1] if rest else argv)):
        return argv[:1] if rest else argv
    before = argv[: argv.index("--")] if "--" in argv else argv
    named = before[:1] if rest else before
    if any(word in ("-a", "--app") or word.startswith("--app=") for word in named):
        return argv
    return ["--app", app, *argv]


def _shown(error: MothershipError) -> click.ClickException:
    return click.ClickException(f"{error.message}\n{error.hint}".strip())


for _verb in VERBS.values():
    main.add_command(_forward(_verb.name, _verb.rest, _verb.app))


if __name__ == "__main__":
    main()
