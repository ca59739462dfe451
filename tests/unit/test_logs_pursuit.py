"""Keeping up with a container whose engine stops, skips or forgets lines where a log is followed."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

from mothership.engine.follow import Line
from mothership.logs import pursuit
from mothership.logs.pursuit import Pursuit, sieved

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()


def printed(count: int, *, begin: int = 0) -> list[Line]:
    """Lines of a kilobyte, a millisecond apart."""
    return [
        (1 + number % 2, f"2026-11-22T12:{number // 60000:02}:{number // 1000 % 60:02}.{number % 1000:03}000000Z", text)
        for number in range(begin, count)
        for text in [f"line {number} {'x' * 1000}"]
    ]


class Unreliable:
    """An engine that has kept `lines`, and prints `more` later; who follows misses all but some of these."""

    def __init__(self, lines: list[Line], more: list[Line], *, followed: int) -> None:
        self.lines, self.more, self.followed = lines, more, followed
        self.ended = asyncio.Event()

    async def follow(self, container: str, *, since: str, wait: bool) -> AsyncGenerator[Line, None]:
        begin = 0.0 if since == "0" else float(since) - NOON
        missed = self.more[self.followed :] if wait else []
        if wait:
            self.lines, self.more = self.lines + self.more, []
        for line in self.lines[: len(self.lines) - len(missed)]:
            if float(line[1][14:16]) * 60 + float(line[1][17:-1]) >= begin:
                yield line
        if wait:
            await self.ended.wait()


async def pursued(engine: Any, cursor: tuple[str, int] = ("", 0)) -> list[str]:
    kept: list[str] = []

    def keep(channel: int, at: str, text: str, gap: bool) -> None:
        kept.extend(["gap"] if gap else [])
        kept.append(text.rstrip("x "))

    async with asyncio.timeout(20):
        await Pursuit(engine, "container", sieved({1: cursor, 2: ("", 0)}), keep).run()
    return kept


def numbered(count: int, *, begin: int = 0) -> list[str]:
    return [f"line {number}" for number in range(begin, count)]


async def test_the_last_words_of_a_process_are_kept_though_following_missed_them() -> None:
    engine = Unreliable(printed(10), printed(14, begin=10), followed=2)
    engine.ended.set()
    assert await pursued(engine) == numbered(14)


async def test_a_flood_is_read_to_its_end_though_following_stops_in_it() -> None:
    engine = Unreliable(printed(10), printed(4000, begin=10), followed=pursuit.FOLLOWED // 1000 + 50)
    reading = asyncio.create_task(pursued(engine))
    async with asyncio.timeout(20):
        while engine.more:
            await asyncio.sleep(0.01)
        engine.ended.set()
        assert await reading == numbered(4000)


async def test_lines_that_are_gone_before_they_were_read_are_said() -> None:
    engine = Unreliable(printed(20, begin=16), [], followed=0)
    engine.ended.set()
    assert await pursued(engine, ("2026-11-22T12:00:00.010000000+00:00", 1)) == ["gap", *numbered(20, begin=16)]
