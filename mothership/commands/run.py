"""run: a one-off container of the current release."""

import asyncio
import contextlib
import random
from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Resize, Session
from mothership.commands.verb import Verb, positional
from mothership.engine import ContainerSpec, Stream
from mothership.engine.stream import STDERR
from mothership.errors import Invalid, MothershipError
from mothership.model import Image, Limits, Release
from mothership.store import App
from mothership.swarm.plan import APP, DROPPED, INSTANCE, PROCESS, RELEASE, ROLE, environment

SIGNALS = frozenset({"INT", "TERM", "HUP", "QUIT", "KILL", "USR1", "USR2", "ALRM", "CONT", "TSTP", "WINCH"})


@dataclass(frozen=True)
class RunArgs:
    app: str
    argv: tuple[str, ...] = positional("COMMAND", many=True)


async def run(house: House, caller: Session, args: RunArgs) -> int:
    """Run a command in a fresh container with the release's image and config; its exit code is ours."""
    app = house.app(args.app, caller.user)
    release = house.current(app)
    argv = args.argv[1:] if args.argv[0] == "--" else args.argv
    if not argv:
        raise Invalid("There is no command to run.", "Such as: run APP -- python manage.py migrate")
    await _fetch(house, release)
    async with house.engine.container(_spec(house, app, release, argv, caller)) as container:
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


async def _fetch(house: House, release: Release) -> None:
    reference = release.image.reference(house.settings.registry)
    if not await house.engine.has_image(reference):
        await house.engine.pull(reference)


def _spec(house: House, app: App, release: Release, argv: tuple[str, ...], caller: Session) -> ContainerSpec:
    dyno = f"run.{random.randint(1000, 9999)}"
    limits = release.limits.get("run", Limits(memory=1024))
    values = environment(release, "run", dyno=dyno) | {"MOTHERSHIP_DRAIN": "0"}
    if caller.terminal:
        values |= {"TERM": caller.terminal.term or "xterm"}
    return ContainerSpec(
        image=release.image.reference(house.settings.registry),
        command=_arguments(release.image, argv),
        env=values,
        labels={
            INSTANCE: house.settings.instance,
            APP: app.name,
            PROCESS: "run",
            RELEASE: str(release.version),
            ROLE: "run",
        },
        hostname=f"{app.name}-{dyno.replace('.', '-')}",
        network=house.settings.network,
        memory=limits.memory,
        cpu=limits.cpu,
        pids=limits.pids,
        tty=caller.terminal is not None,
        stdin=True,
        cap_drop=DROPPED,
    )


def _arguments(image: Image, argv: tuple[str, ...]) -> tuple[str, ...]:
    """One word is a shell command line or a process type of the Procfile; several are taken as they are."""
    app = image.kind == "buildpack"
    if len(argv) == 1:
        command = image.processes.get(argv[0]) or argv[0]
        return ("app" if app else "sh", command)
    return ("apprun" if app else "exec", *argv)


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
