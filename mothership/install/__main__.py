"""`python -m mothership.install up|down`: what scripts/up and scripts/down run once Python has its packages."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import click

from mothership import config
from mothership.config import Settings
from mothership.errors import MothershipError
from mothership.install.down import down as take_down
from mothership.install.up import up as bring_up

PORT = click.IntRange(1, 65535)


@click.group()
def main() -> None:
    """Install and remove a Mothership server."""


@main.command()
@click.option("--data", type=click.Path(path_type=Path), default=config.DATA, show_default=True)
@click.option("--source", type=click.Path(path_type=Path, exists=True), required=True, hidden=True)
@click.option("--domain", default=None, help="Apps are at APP.DOMAIN. [default: localhost]")
@click.option("--http-port", type=PORT, default=None, help="Where apps are served. [default: 80]")
@click.option("--ssh-port", type=PORT, default=None, help="Where pushes and commands come in. [default: 2222]")
@click.option("--registry-port", type=PORT, default=None, help="The image registry, on loopback. [default: 7878]")
@click.option("--instance", default=None, help="A name of its own for a second server on one engine.")
@click.option("--no-demo", is_flag=True, help="Don't push the example.")
def up(data: Path, source: Path, no_demo: bool, **chosen: object) -> None:
    """Install what is missing, start everything, and prove it with an example. Safe to run again."""
    _run(lambda: bring_up(_settings(data, chosen), source=source, with_demo=not no_demo))


@main.command()
@click.option("--data", type=click.Path(path_type=Path), default=config.DATA, show_default=True)
@click.option("--purge", is_flag=True, help="Remove the data, too: apps, releases, images, everything.")
def down(data: Path, purge: bool) -> None:
    """Stop everything that scripts/up started."""
    _run(lambda: take_down(config.load(data), purge=purge))


def _settings(data: Path, chosen: dict[str, object]) -> Settings:
    """The settings of the last run with this run's flags over them."""
    given = {key: value for key, value in chosen.items() if value is not None}
    return replace(config.load(data), **given)  # type: ignore[arg-type]


def _run(work: object) -> None:
    try:
        asyncio.run(work())  # type: ignore[operator]
    except MothershipError as error:
        print(f"\n{error.message}", file=sys.stderr)
        if error.hint:
            print(error.hint, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nStopped. Run it again to go on.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
