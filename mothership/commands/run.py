"""run: a one-off container of the current release."""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Resize, Session
from mothership.commands.verb import Verb, hidden, positional
from mothership.engine import ContainerSpec, Stream
from mothership.engine.stream import STDERR
from mothership.errors import Invalid, MothershipError
from mothership.model import Image, Release
from mothership.swarm import oneoff

SIGNALS = frozenset({"INT", "TERM", "HUP", "QUIT", "KILL", "USR1", "USR2", "ALRM", "CONT", "TSTP", "WINCH"})


@dataclass(frozen=True)
class RunArgs:
    app: str
    argv: tuple[str, ...] = positional("COMMAND", many=True, shown=hidden)


async def run(house: House, caller: Session, args: RunArgs) -> int:
    """Run a command in a fresh container with the release's image and config; its exit code is ours."""
    app = house.app(args.app, caller.user)
    release = house.current(app)
    argv = args.argv[1:] if args.argv[0] == "--" else args.argv
    if not argv:
        raise Invalid("There is no command to run.", "Such as: run APP -- python manage.py migrate")
    await oneoff.fetch(house.settings, house.engine, release.image)
    async with house.engine.container(_spec(house, release, argv, caller)) as container:
        return await _attached(house, caller, container)


async def _attached(house: House, caller: Session, container: str) -> int:
    stream = await house.engine.attach(container, tty=caller.terminal is not None, stdin=True)
    try:
        await house.engine.start(container)
        await _resize(house, caller, container)
        beside = [
            asyncio.create_task(_input(caller, stream)),
            asyncio.create_task(_events(house, caller, container)),
        ]
        try:
            await _output(caller, stream)
        finally:
            for task in beside:
                task.cancel()
    finally:
        stream.close()
    return await house.engine.wait(container)


async def _output(caller: Session, stream: Stream) -> None:
    async for channel, data in stream.chunks():
        if channel == STDERR:
            caller.write_error(data)
        else:
            caller.write(data)
        await caller.drain()


async def _input(caller: Session, stream: Stream) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await caller.read():
            await stream.write(data)
        stream.close_input()


async def _events(house: House, caller: Session, container: str) -> None:
    async for event in caller.events():
        if isinstance(event, Resize):
            await house.engine.resize(container, rows=event.rows, columns=event.columns)
        elif event.name in SIGNALS:
            with contextlib.suppress(MothershipError):
                await house.engine.kill(container, f"SIG{event.name}")


async def _resize(house: House, caller: Session, container: str) -> None:
    if caller.terminal and caller.terminal.rows and caller.terminal.columns:
        await house.engine.resize(container, rows=caller.terminal.rows, columns=caller.terminal.columns)


def _spec(house: House, release: Release, argv: tuple[str, ...], caller: Session) -> ContainerSpec:
    env = {"TERM": caller.terminal.term or "xterm"} if caller.terminal else {}
    made = oneoff.spec(house.settings, release, "run", _arguments(release.image, argv), env=env)
    return replace(made, tty=caller.terminal is not None, stdin=True)


def _arguments(image: Image, argv: tuple[str, ...]) -> tuple[str, ...]:
    """One word is a shell command line or a process type of the Procfile; several are taken as they are."""
    if len(argv) == 1:
        return oneoff.shell(image, image.processes.get(argv[0]) or argv[0])
    return oneoff.words(image, argv)


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "run",
        "Run a command in a fresh container of an app.",
        RunArgs,
        run,
        ("run blog -- python manage.py migrate", "run blog bash", "run blog -- 'env | sort'"),
        rest=True,
    ),
)
