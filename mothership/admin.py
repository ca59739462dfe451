"""Changes made on the server itself, without a key: `python -m mothership.admin`."""

import sys
from pathlib import Path

import click

from mothership.config import DATA
from mothership.errors import MothershipError, NotFound
from mothership.store import Accounts, Store
from mothership.store.accounts import parse_key


@click.group()
@click.option("--data", type=click.Path(path_type=Path), default=DATA, show_default=True, help="The data directory.")
@click.pass_context
def main(context: click.Context, data: Path) -> None:
    """Let the first people in."""
    context.obj = Accounts(Store(data))


@main.command("add-key")
@click.option("--user", required=True, help="Whose key it is; the user is made when new.")
@click.option("--admin", is_flag=True, help="Make a new user an admin.")
@click.pass_obj
def add_key(accounts: Accounts, user: str, admin: bool) -> None:
    """Add the SSH public key on standard input; one that the user has already is fine."""
    line = sys.stdin.readline()
    try:
        _add(accounts, user, line, admin=admin)
    except MothershipError as error:
        raise click.ClickException(f"{error.message} {error.hint}".strip()) from error


def _add(accounts: Accounts, name: str, line: str, *, admin: bool) -> None:
    key = parse_key(line)
    try:
        user = accounts.user(name)
    except NotFound:
        user = accounts.add_user(name, admin=admin)
    if key.fingerprint in {row["fingerprint"] for row in accounts.keys(user)}:
        click.echo(f"{name} has the key {key.fingerprint} already.")
        return
    accounts.add_key(user, line)
    click.echo(f"Added {key.fingerprint} for {name}.")


if __name__ == "__main__":
    main()
