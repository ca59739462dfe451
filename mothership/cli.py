"""The `mothership` command: `serve` on a server, every other verb over the user's own ssh."""

import asyncio
import contextlib
import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import click
from click.shell_completion import CompletionItem, get_completion_class

from mothership import __version__, config, edit, log, pack, remote
from mothership.commands.parse import APP_FLAGS, click_command
from mothership.commands.table import VERBS
from mothership.errors import MothershipError
from mothership.words import REMOTE, take_remote, with_app

CONTEXT = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}
WHOLE_WORDS = "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n"
"""For bash, which takes config:set for three words otherwise."""


@dataclass(frozen=True)
class Where:
    """What was said before the command: the git remote, and the app if it isn't the remote's."""

    name: str
    app: str

    def find(self, argv: list[str], *, rest: bool) -> tuple[remote.Remote, list[str]]:
        """The remote that the arguments name, or the one named before them, and the other arguments."""
        name, others = take_remote(argv, rest=rest)
        try:
            return remote.find(name or self.name), others
        except MothershipError as error:
            raise Failed.of(error) from error


class Failed(click.ClickException):
    """An error of the client itself, in red on a terminal (but see no-color.org)."""

    def show(self, file: IO[Any] | None = None) -> None:
        color = False if os.environ.get("NO_COLOR") else None
        click.echo(f"{click.style('Error:', fg='red')} {self.format_message()}", file=file, err=True, color=color)

    @classmethod
    def of(cls, error: MothershipError) -> "Failed":
        return cls(f"{error.message}\n{error.hint}".strip())


class Forwarded(click.Command):
    """A verb of the server's; only what completes its options is known here."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Every word is for the server, `--` too."""
        ctx.params["argv"] = tuple(args)
        return []

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        known = click_command(VERBS[str(self.name)], app_option=True)
        found = known.shell_complete(click.Context(known), incomplete)
        return found + [CompletionItem(REMOTE)] * REMOTE.startswith(incomplete)


class Half(click.Command):
    """A command of the client's with options of its own: what follows `--` is the server's, and so is the `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        cut = args.index("--") if "--" in args else len(args)
        left = super().parse_args(ctx, args[:cut])
        ctx.params["argv"] = (*ctx.params["argv"], *args[cut:])
        return left


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Deploy with git push, operate with these commands; they work in a clone that has the git remote.",
)
@click.version_option(__version__, prog_name="mothership")
@click.option(REMOTE, "name", default="mothership", show_default=True, help="The git remote to talk to.")
@click.option(*APP_FLAGS, default="", help="The app, if it isn't the remote's own.")
@click.pass_context
def main(context: click.Context, name: str, app: str) -> None:
    context.obj = Where(name, app)
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
        raise Failed.of(error) from error


@main.command()
@click.argument("host")
@click.option("-a", "--app", default="", help="The app's name; the folder's by default.")
@click.option("-p", "--port", default=2222, show_default=True, help="The server's SSH port.")
@click.option(REMOTE, "name", default="", help="What to call the git remote.")
@click.pass_obj
def init(where: Where, host: str, app: str, port: int, name: str) -> None:
    """Add the git remote of a server to this clone."""
    name = name or where.name
    app = app or where.app or Path.cwd().name.lower().replace("_", "-")
    url = f"ssh://mothership@{host}:{port}/{app}"
    if subprocess.run(["git", "remote", "add", name, url], check=False).returncode:
        raise Failed(f"git could not add the remote. To change it: git remote set-url {name} {url}")
    click.echo(f"Added the remote {name}: {url}")
    click.echo(f"Deploy: git push {name} main")


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script: source <(mothership completion bash)."""
    made = get_completion_class(shell)
    assert made
    script = made(main, {}, "mothership", "_MOTHERSHIP_COMPLETE").source()
    click.echo((WHOLE_WORDS if shell == "bash" else "") + script)


@main.command("config:edit")
@click.option(*APP_FLAGS, default="", help="The app, if it isn't the remote's own.")
@click.option(REMOTE, "name", default="", help="The git remote to talk to.")
@click.pass_obj
def config_edit(where: Where, app: str, name: str) -> None:
    """Change config vars in your editor ($VISUAL or $EDITOR); makes one release."""
    target, _ = where.find([REMOTE, name] if name else [], rest=False)
    app = app or where.app or target.app
    listed = _ask(target, ["config", "--app", app, "--json"])
    old = {row["key"]: row["value"] for row in json.loads(listed) if isinstance(row["value"], str)}
    try:
        words = edit.change(app, old, edit.edited(old, app))
    except MothershipError as error:
        raise Failed.of(error) from error
    if not words:
        click.echo("Nothing changed.")
        return
    _become_ssh(target, words)


@main.command("deploy", cls=Half, context_settings={"ignore_unknown_options": True})
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=None, help="A folder to pack and send.")
@click.option("--tar", "archive", default="", help="An archive to send: a file, or - for standard input.")
@click.option("--with-env", is_flag=True, help="Take .env along, too.")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def deploy(where: Where, folder: Path | None, archive: str, with_env: bool, argv: tuple[str, ...]) -> None:
    """Deploy without a push: a folder (--dir), an archive (--tar), or what the server fetches (--git, --url, --image).

    A folder's files are those that git tracks or would add: .gitignore holds, .git stays, and so does .env.
    .slugignore and .dockerignore hold at the build. The other options are the server's: see `mothership help deploy`.
    """
    target, given = where.find(list(argv), rest=False)
    given = with_app(given, where.app or target.app, rest=False) if where.app or target.app else given
    if folder and archive:
        raise Failed("Send a folder or an archive, not both.")
    if folder:
        try:
            _send(target, ["deploy", *given, "--tar", "-", "--name", folder.resolve().name], folder, with_env)
        except MothershipError as error:
            raise Failed.of(error) from error
    if archive and archive != "-":
        try:
            os.dup2(os.open(archive, os.O_RDONLY), 0)
        except OSError as error:
            raise Failed(f"{archive} can't be read: {error.strerror}.") from error
        given += ["--tar", "-", "--name", Path(archive).name]
    elif archive:
        given += ["--tar", "-"]
    _become_ssh(target, ["deploy", *given])


def _send(target: remote.Remote, words: list[str], folder: Path, with_env: bool) -> NoReturn:
    """Pack a folder into the command's standard input, and end as the command does."""
    chosen = pack.files(folder, everything=with_env)
    click.echo(f"-----> Sending {len(chosen.names)} files of {folder}", err=True)
    if chosen.left_out:
        names = ", ".join(chosen.left_out[:5])
        click.echo(f"       Left out: {names}. Config vars are set with config:set; or --with-env", err=True)
    command = [*target.ssh(terminal=False), shlex.join(words)]
    try:
        child = subprocess.Popen(command, stdin=subprocess.PIPE)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Failed("There is no ssh on this machine. Install it first.") from error
    assert child.stdin
    try:
        with contextlib.suppress(BrokenPipeError):  # the server has seen enough; it says why
            pack.write(chosen, child.stdin)
            child.stdin.close()
    except BaseException:
        child.kill()
        child.wait()
        raise
    sys.exit(child.wait())


def _forward(verb: str, rest: bool, app: bool) -> click.Command:
    @click.pass_obj
    def call(where: Where, argv: tuple[str, ...]) -> None:
        target, given = where.find(list(argv), rest=rest)
        if app or where.app:
            given = with_app(given, where.app or target.app, rest=rest)
        terminal = rest and sys.stdin.isatty() and sys.stdout.isatty()
        _become_ssh(target, [verb, *given], terminal=terminal)

    argument = click.Argument(["argv"], nargs=-1, type=click.UNPROCESSED)
    return Forwarded(verb, callback=call, params=[argument], help=VERBS[verb].summary, context_settings=CONTEXT)


def _ask(target: remote.Remote, words: list[str]) -> str:
    """What a command prints; the client ends as it does when it fails."""
    command = [*target.ssh(terminal=False), shlex.join(words)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Failed("There is no ssh on this machine. Install it first.") from error
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def _become_ssh(target: remote.Remote, words: list[str], *, terminal: bool = False) -> NoReturn:
    """Go on as the user's own ssh: its exit status, which is the command's, is ours."""
    command = [*target.ssh(terminal=terminal), shlex.join(words)]
    try:
        os.execvp(command[0], command)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Failed("There is no ssh on this machine. Install it first.") from error


for _verb in VERBS.values():
    if _verb.name not in main.commands:
        main.add_command(_forward(_verb.name, _verb.rest, _verb.app))


if __name__ == "__main__":
    main(prog_name="mothership")
