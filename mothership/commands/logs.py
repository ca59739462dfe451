"""logs."""

import asyncio
from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Verb, option, say
from mothership.model import Role

MOST = 100_000


@dataclass(frozen=True)
class LogsArgs:
    app: str
    follow: bool = option("-f", "--tail", "--follow", default=False, help="Go on as lines come.")
    lines: int = option("-n", "--num", default=100, help="How many of the last lines.")
    process: str = option("-p", "--ps", default="", help="Only this process type, or web.1.")


async def logs(house: House, caller: Session, args: LogsArgs) -> None:
    app = house.app(args.app, caller.user)
    journal = house.logs.of(app.name)
    queue = journal.subscribe()
    try:
        lines = await asyncio.to_thread(journal.tail, MOST if args.process else max(0, min(args.lines, MOST)))
        for line in [line for line in lines if _matches(line, args.process)][-args.lines or MOST :]:
            say(caller, line)
        await caller.drain()
        while args.follow:
            line = await queue.get()
            if _matches(line, args.process):
                say(caller, line)
                await caller.drain()
    finally:
        journal.unsubscribe(queue)


def _matches(line: str, process: str) -> bool:
    return not process or f"[{process}]: " in line or f"[{process}." in line


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "logs",
        "Print what an app printed.",
        LogsArgs,
        logs,
        ("logs blog -f", "logs blog -n 1000 --ps worker"),
        role=Role.VIEWER,
        reads=True,
    ),
)
