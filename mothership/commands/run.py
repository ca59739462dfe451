"""run, run:detached, exec: a command in a fresh container of the current release, or in one that runs."""

import asyncio
import contextlib
import os
import re
import signal
from dataclasses import dataclass, replace
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.terminal import connected
from mothership.commands.verb import Verb, hidden, positional, say
from mothership.engine import ContainerSpec
from mothership.errors import Conflict, Invalid, NotFound
from mothership.model import Image, Release
from mothership.store import App
from mothership.swarm import oneoff
from mothership.swarm.tasks import Task

LAUNCHER = "/mothership/launcher"
TASK = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,29})\.(\d{1,4})")


@dataclass(frozen=True)
class RunArgs:
    app: str
    argv: tuple[str, ...] = positional("COMMAND", many=True, shown=hidden)


@dataclass(frozen=True)
class ExecArgs:
    app: str
    argv: tuple[str, ...] = positional("[TYPE.N] COMMAND", many=True, shown=hidden)


async def run(house: House, caller: Session, args: RunArgs) -> int:
    """Run a command in a fresh container with the release's image and config; its exit code is ours."""
    app = house.app(args.app, caller.user)
    release = house.current(app)
    argv = _command(args.argv)
    await oneoff.fetch(house.settings, house.engine, release.image)
    async with house.engine.container(_spec(house, release, argv, caller)) as container:
        return await _attached(house, caller, container)


async def detached(house: House, caller: Session, args: RunArgs) -> None:
    """Run a command without waiting for it; what it prints is in the app's log, and after a day it is ended."""
    app = house.app(args.app, caller.user)
    release = house.current(app)
    argv = _command(args.argv)
    words = oneoff.words(release.image, argv) if len(argv) > 1 else _line(release.image, argv)
    await oneoff.fetch(house.settings, house.engine, release.image)
    name = await house.detached.start(release, words, by=caller.user.name)
    say(caller, f"Running as {name}. Its output: logs {app.name} --ps {name}")
    say(caller, f"It is ended after {house.settings.run_time // 3600} hours at the latest.")


async def exec_(house: House, caller: Session, args: ExecArgs) -> int:
    """Run a command beside a process, in its own container: it sees that process's files and memory."""
    app = house.app(args.app, caller.user)
    release = house.current(app)
    named = TASK.fullmatch(args.argv[0])
    argv = _command(args.argv[1:] if named else args.argv)
    task = await _task(house, app, release, args.argv[0] if named else "")
    tty = caller.terminal is not None
    env = {"TERM": caller.terminal.term or "xterm"} if caller.terminal else {}
    words = (LAUNCHER, *oneoff.words(release.image, argv)) if len(argv) > 1 else (LAUNCHER, *_line(release.image, argv))
    run, stream = await house.engine.exec(task.container, words, env=env, stdin=True, tty=tty)
    try:
        await connected(
            caller, stream, lambda rows, columns: house.engine.exec_resize(run, rows=rows, columns=columns), _ignored
        )
        return await house.engine.exec_code(run)
    finally:
        stream.close()
        await asyncio.shield(asyncio.ensure_future(_ended(house, run)))


async def _attached(house: House, caller: Session, container: str) -> int:
    stream = await house.engine.attach(container, tty=caller.terminal is not None, stdin=True)
    try:
        await house.engine.start(container)
        await connected(
            caller,
            stream,
            lambda rows, columns: house.engine.resize(container, rows=rows, columns=columns),
            lambda name: house.engine.kill(container, name),
        )
    finally:
        stream.close()
    return await house.engine.wait(container)


async def _task(house: House, app: App, release: Release, name: str) -> Task:
    """The running process that is meant, web's first one by default. Raises NotFound, Conflict."""
    tasks = [t for t in await house.cluster.all_tasks(app.name) if t.running and t.release == release.version]
    tasks.sort(key=lambda task: (task.process != "web", task.process, task.slot))
    found = next((task for task in tasks if name in ("", f"{task.process}.{task.slot}")), None)
    if found is None:
        there = ", ".join(f"{task.process}.{task.slot}" for task in tasks)
        what = f"no running process {name}" if name else "no running process"
        raise NotFound(f"{app.name} has {what}.", f"It runs: {there or 'nothing'}.")
    if found.node != await house.engine.node():
        raise Conflict(
            f"{found.process}.{found.slot} runs on another machine of the Swarm; exec enters this one's only.",
            f"A fresh container of the same release, here: run {app.name} COMMAND",
            reason="on another machine",
        )
    return found


async def _ended(house: House, run: str) -> None:
    """A command whose caller has gone ends too; the engine has no call for that, its process is this machine's."""
    state = await house.engine.call(lambda api: api.exec_inspect(run))
    if state["Running"] and state["Pid"]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(state["Pid"], signal.SIGHUP)
            os.kill(state["Pid"], signal.SIGTERM)


async def _ignored(name: str) -> None:
    """A terminal's own signals are bytes; others can't be sent to a command beside a process."""


def _command(argv: tuple[str, ...]) -> tuple[str, ...]:
    argv = argv[1:] if argv and argv[0] == "--" else argv
    if not argv:
        raise Invalid("There is no command to run.", "Such as: run APP -- python manage.py migrate")
    return argv


def _spec(house: House, release: Release, argv: tuple[str, ...], caller: Session) -> ContainerSpec:
    env = {"TERM": caller.terminal.term or "xterm"} if caller.terminal else {}
    words = oneoff.words(release.image, argv) if len(argv) > 1 else _line(release.image, argv)
    made = oneoff.spec(house.settings, release, "run", words, env=env)
    return replace(made, tty=caller.terminal is not None, stdin=True)


def _line(image: Image, argv: tuple[str, ...]) -> tuple[str, ...]:
    """One word is a shell command line, or a process type of the Procfile."""
    return oneoff.shell(image, image.processes.get(argv[0]) or argv[0])


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "run",
        "Run a command in a fresh container of an app.",
        RunArgs,
        run,
        ("run blog -- python manage.py migrate", "run blog bash", "run blog -- 'env | sort'"),
        rest=True,
    ),
    Verb(
        "run:detached",
        "Run a command in the background; its output goes to the log.",
        RunArgs,
        detached,
        ("run:detached blog -- python manage.py reindex",),
        rest=True,
    ),
    Verb(
        "exec",
        "Run a command beside a running process, in its container.",
        ExecArgs,
        exec_,
        ("exec blog bash", "exec blog worker.1 -- ps aux"),
        rest=True,
    ),
)
