"""Following containers and processes: nothing is lost or doubled when the daemon or the engine starts again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from mothership.applogs import AppLogs
from mothership.engine import Engine
from mothership.engine.follow import Frames, Line
from mothership.errors import EngineUnavailable
from mothership.logs import Query, shown
from mothership.logs.segments import Bounds
from mothership.model import Image, Release
from mothership.output import Output
from mothership.swarm.tasks import Task

CONTAINER = "0123456789abcdef"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()


def at(number: int) -> str:
    return f"2026-11-22T12:00:{number // 1000:02}.{number % 1000:03}000000Z"


class Prints:
    """An engine with one container, which has printed `lines`; `ends` are the line counts after which it breaks off."""

    def __init__(self, lines: list[Line], ends: tuple[int, ...] = ()) -> None:
        self.lines, self.ends = lines, list(ends)
        self.asked: list[str] = []
        self.running = True

    async def follow(self, container: str, *, since: str, wait: bool) -> AsyncGenerator[Line, None]:
        if wait:
            self.asked.append(since)
        begin = 0.0 if since == "0" else float(since) - NOON
        for number, line in enumerate(self.lines):
            if self.ends and number == self.ends[0]:
                self.ends.pop(0)
                raise EngineUnavailable("gone")
            if float(line[1][17:-1]) >= begin:
                yield line
        if wait:
            await asyncio.Event().wait()

    async def starts(self, labels: dict[str, str]) -> AsyncIterator[tuple[str, dict[str, str]]]:
        for number, label in enumerate(({}, {"com.docker.swarm.task.name": "m-blog-web-v1.2.abc"})):
            yield f"{number}{CONTAINER}", {"mothership.app": "blog", "mothership.process": "web", **label}
        await asyncio.Event().wait()

    async def inspect(self, container: str) -> dict[str, Any]:
        return {"State": {"Running": self.running}}


def logs(data: Path, engine: Any, **options: Any) -> AppLogs:
    return AppLogs(data, cast(Engine, engine), bounds=Bounds(size=64), **options)


async def texts(room: AppLogs, app: str = "blog") -> list[str]:
    return [shown(line)[33:] for line in await room.of(app).find(Query(count=10**6))]


async def follow_until(room: AppLogs, count: int) -> list[str]:
    """Watch as upkeep does until there are so many lines, and a little longer."""
    async with asyncio.timeout(20):
        while True:
            room.watch([(CONTAINER, "blog", "web.1")])
            await asyncio.sleep(0.02)
            found = await texts(room)
            if len(found) >= count:
                return found


async def test_lines_are_stored_with_the_engines_time(tmp_path: Path) -> None:
    room = logs(tmp_path, Prints([(1, at(1), "hello")]))
    await follow_until(room, 1)
    assert [shown(line) for line in await room.of("blog").find(Query())] == [
        "2026-11-22T12:00:00.001000+00:00 app[web.1]: hello"
    ]
    await room.close()


@pytest.mark.parametrize("ending", ["closed", "killed"])
async def test_a_restarted_daemon_neither_loses_nor_doubles_lines(tmp_path: Path, ending: str) -> None:
    printed: list[Line] = [(1 + number % 2, at(number // 3), f"line {number}") for number in range(3000)]
    first = logs(tmp_path, Prints(printed[:1777]))
    await follow_until(first, 1777)
    if ending == "closed":
        await first.close()
    engine = Prints(printed)
    second = logs(tmp_path, engine)
    found = await follow_until(second, 3000)
    assert found == [f"app[web.1]: line {number}" for number in range(3000)]
    assert engine.asked[0] != "0"
    await first.close()
    await second.close()


async def test_what_the_engine_had_no_room_for_meanwhile_is_said_in_its_place(tmp_path: Path) -> None:
    printed: list[Line] = [(1, at(number), f"line {number}") for number in range(100)]
    first = logs(tmp_path, Prints(printed[:40]))
    await follow_until(first, 40)
    await first.close()
    second = logs(tmp_path, Prints(printed[60:]))
    found = await follow_until(second, 81)
    assert found[39:42] == [
        "app[web.1]: line 39",
        "mothership[logs]: lines of web.1 may be missing here: it printed more than the engine keeps until it is read",
        "app[web.1]: line 60",
    ]
    await second.close()
    third = logs(tmp_path, Prints(printed[60:]))
    assert await follow_until(third, 81) == found
    await third.close()


async def test_a_stream_that_was_quiet_for_long_has_no_gap(tmp_path: Path) -> None:
    """Its last line is older than where reading begins again."""
    early: list[Line] = [(2, at(1), "err"), (1, at(9000), "out")]
    first = logs(tmp_path, Prints(early))
    await follow_until(first, 2)
    await first.close()
    second = logs(tmp_path, Prints([*early, (2, at(9001), "err again")]))
    assert await follow_until(second, 3) == ["app[web.1]: err", "app[web.1]: out", "app[web.1]: err again"]
    await second.close()


async def test_streams_that_overtook_each_other_are_complete_after_a_restart(tmp_path: Path) -> None:
    early: list[Line] = [(1, at(5), "out 5"), (1, at(9), "out 9")]
    late: list[Line] = [(2, at(7), "err 7"), (2, at(8), "err 8"), (1, at(10), "out 10")]
    first = logs(tmp_path, Prints(early))
    await follow_until(first, 2)
    await first.close()
    second = logs(tmp_path, Prints(early + late))
    found = await follow_until(second, 5)
    assert [text.split(": ")[1] for text in found] == ["out 5", "out 9", "err 7", "err 8", "out 10"]
    await second.close()


async def test_an_engine_that_breaks_off_is_followed_again_without_doubles(tmp_path: Path) -> None:
    printed: list[Line] = [(1, at(number), f"line {number}") for number in range(100)]
    engine = Prints(printed, ends=(40, 70))
    room = logs(tmp_path, engine)
    found = await follow_until(room, 100)
    assert found == [f"app[web.1]: line {number}" for number in range(100)] and not engine.ends
    await room.close()


async def test_a_forgotten_app_is_gone_and_what_it_still_prints_is_not_kept(tmp_path: Path) -> None:
    room = logs(tmp_path, Prints([(1, at(1), "hello")]))
    await follow_until(room, 1)
    await room.forget("blog")
    room.watch([(CONTAINER, "blog", "web.1")])
    await asyncio.sleep(0.05)
    assert not (tmp_path / "logs" / "apps" / "blog").exists()
    await room.close()


async def test_a_container_is_followed_from_its_start(tmp_path: Path) -> None:
    engine = Prints([(1, at(1), "hello")])
    room = logs(tmp_path, engine)
    room.open("m")
    async with asyncio.timeout(10):
        while not await texts(room):
            await asyncio.sleep(0.01)
    assert await texts(room) == ["app[web.2]: hello"] and len(engine.asked) == 1
    await room.close()


async def test_what_is_left_of_an_app_that_is_gone_is_removed_and_not_followed(tmp_path: Path) -> None:
    engine = Prints([(1, at(1), "hello")])
    before = logs(tmp_path, engine)
    await follow_until(before, 1)
    await before.close()
    room = logs(tmp_path, engine, exists=lambda app: app != "blog")
    room.open("m")
    room.watch([(CONTAINER, "blog", "web.1")])
    async with asyncio.timeout(10):
        while (tmp_path / "logs" / "apps" / "blog").exists():
            await asyncio.sleep(0.01)
    assert len(engine.asked) == 1
    await room.close()


def task(state: str, second: int, **changes: Any) -> Task:
    values: dict[str, Any] = {"id": "task1xxxxxxxxxxxxxxx", "service": "s", "app": "blog", "process": "web"}
    values |= {"release": 1, "slot": 1, "state": state, "wanted": "running", "error": "", "address": ""}
    values |= {"container": "", "exit_code": 0, "node": "", "since": f"2026-11-22T12:00:{second:02}.5Z"}
    return Task(**{**values, **changes})


async def seen(room: AppLogs, *tasks: Task) -> None:
    room.see(tasks)
    for _ in range(5):
        await asyncio.sleep(0.01)


async def test_what_becomes_of_a_process_is_said_once_also_after_a_restart(tmp_path: Path) -> None:
    room = logs(tmp_path, None)
    for state in (task("preparing", 1), task("starting", 2), task("running", 3), task("running", 3)):
        await seen(room, state)
    await room.close()
    room = logs(tmp_path, None)
    await seen(room, task("running", 3))
    await seen(room, task("failed", 4, exit_code=3))
    await seen(room, task("failed", 4, exit_code=3), task("shutdown", 5, id="task2", slot=2))
    assert await texts(room) == [
        "mothership[web.1]: Starting process",
        "mothership[web.1]: State changed from starting to up",
        "mothership[web.1]: Process exited with status 3; state changed to crashed",
        "mothership[web.2]: Process stopped; state changed to down",
    ]
    await room.close()


async def test_releases_and_scaling_are_said_with_their_authors(tmp_path: Path) -> None:
    room = logs(tmp_path, None)
    release = Release("blog", 3, Image("b", "d", "k", {}), {}, {"web": 2}, user="ada", description="Set GREETING")
    out = room.releasing(release, Output())
    out.detail("Running the release command")
    room.failed(release, EngineUnavailable("x", reason="web crashed on start"))
    room.scaled(release, "bob")
    assert await texts(room) == [
        "mothership[api]: Release v3 created by ada: Set GREETING",
        "mothership[release]:        Running the release command",
        "mothership[api]: Release v3 failed: web crashed on start",
        "mothership[api]: Scaled to web=2 by bob",
    ]
    await room.close()


def test_the_engines_frames_become_lines_however_the_bytes_come() -> None:
    def frame(channel: int, text: str) -> bytes:
        data = f"{at(1)} {text}".encode()
        return bytes([channel, 0, 0, 0]) + len(data).to_bytes(4, "big") + data

    data = frame(1, "one\n") + frame(2, "two\r\n") + frame(1, "") + frame(1, "x" * 20000) + frame(1, "ü\n")
    for size in (1, 7, 100, 100000):
        frames = Frames()
        lines = [line for start in range(0, len(data), size) for line in frames.feed(data[start : start + size])]
        assert lines == [
            (1, at(1), "one"),
            (2, at(1), "two"),
            (1, at(1), ""),
            (1, at(1), "x" * 20000),
            (1, at(1), "ü"),
        ]
