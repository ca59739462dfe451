"""A journal: lines in, lines out to readers and searches, and drops that are counted and said."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mothership.commands.logs import since
from mothership.errors import Invalid
from mothership.logs import Backlog, Journal, Query, shown
from mothership.logs import journal as journals
from mothership.logs.line import stored
from mothership.logs.segments import Bounds


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(tmp_path / "blog", ThreadPoolExecutor(2), Bounds(size=1))
    yield made
    await made.close()


def said(source: str, text: str, *, hour: int = 12) -> str:
    return stored(f"2026-11-22T{hour:02}:00:00.000000000+00:00", "0123456789ab1", source, text)


async def texts(journal: Journal, query: Query) -> list[str]:
    return [shown(line).split(": ", 1)[1] for line in await journal.find(query)]


async def test_lines_are_found_as_soon_as_they_are_put(journal: Journal) -> None:
    for number in range(300):
        journal.put(said("app[web.1]", str(number)))
    assert await texts(journal, Query(count=2)) == ["298", "299"]
    assert await texts(journal, Query(count=0)) == []


async def test_they_are_there_after_a_restart(tmp_path: Path) -> None:
    pool = ThreadPoolExecutor(1)
    first = Journal(tmp_path / "blog", pool)
    first.note("api", "Release v1 created by ada\nand more")
    await first.close()
    found = [shown(line) for line in await Journal(tmp_path / "blog", pool).find(Query())]
    assert [line[32:] for line in found] == [
        " mothership[api]: Release v1 created by ada",
        " mothership[api]: and more",
    ]
    assert datetime.fromisoformat(found[0].split(" ")[0]).tzinfo == UTC


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(words=("timeout",)), ["timeout of db", "timeout of cache"]),
        (Query(words=("timeout", "db")), ["timeout of db"]),
        (Query(words=("timeout",), count=1), ["timeout of cache"]),
        (Query(words=("t.meout",)), []),
        (Query(words=("0123456789ab",)), []),
        (Query(words=("--help",)), ["see --help"]),
        (Query(regex="time(out|r) of [a-d]b"), ["timeout of db"]),
        (Query(regex="^timeout"), ["timeout of db", "timeout of cache"]),
        (Query(regex="0000000"), []),
        (Query(process="web"), ["timeout of db", "see --help"]),
        (Query(process="web.2"), ["see --help"]),
        (Query(process="we"), []),
        (Query(process="worker"), ["timeout of cache"]),
        (Query(source="mothership"), ["[worker.1]: Building"]),
        (Query(source="app", words=("of",), process="worker"), ["timeout of cache"]),
        (Query(since="2026-11-22T13:00:00.000000+00:00"), ["see --help"]),
        (Query(since="2026-11-22T13:00:00.000000+00:00", words=("timeout",)), []),
        (Query(since="2999-01-01T00:00:00.000000+00:00", process="web"), []),
    ],
)
async def test_a_query_finds_the_lines_it_asks_for(journal: Journal, query: Query, expected: list[str]) -> None:
    journal.put(said("app[web.1]", "timeout of db"))
    journal.put(said("app[worker.1]", "timeout of cache"))
    journal.put(said("mothership[build]", "[worker.1]: Building"))
    journal.put(said("app[web.2]", "see --help", hour=13))
    assert await texts(journal, query) == expected


async def test_a_search_goes_through_all_segments_and_keeps_their_order(journal: Journal) -> None:
    for start in range(0, 8000, 100):
        for number in range(start, start + 100):
            journal.put(said("app[web.1]", f"{'needle' if number % 1000 == 7 else 'hay'} {number}"))
        await asyncio.to_thread(journal.flush)
    assert await texts(journal, Query(words=("needle",))) == [f"needle {n}007" if n else "needle 7" for n in range(8)]
    assert await texts(journal, Query(words=("needle",), count=2)) == ["needle 6007", "needle 7007"]


@pytest.mark.parametrize("pattern", ["(", "[", "a{5,2}", r"(.*){9999}{9999}"])
async def test_a_bad_pattern_is_explained(journal: Journal, pattern: str) -> None:
    journal.put(said("app[web.1]", "a"))
    with pytest.raises(Invalid, match="pattern"):
        await journal.find(Query(regex=pattern))


async def test_a_reader_gets_lines_at_once_and_a_slow_one_is_told_what_it_missed(journal: Journal) -> None:
    reader = journal.subscribe()
    for number in range(6000):
        journal.put(said("app[web.1]", str(number)))
    first = reader.take_now()
    journal.put(said("app[web.1]", "later"))
    rest = [shown(line).split(": ", 1)[1] for line in await reader.take()]
    assert len(first) == 5000 and first[-1].endswith(": 4999")
    assert rest == ["1000 lines were dropped here: they came faster than they were read", "later"]
    assert await texts(journal, Query(count=2)) == ["5999", "later"]


async def test_a_backlog_is_bounded_by_size_too_and_says_what_was_missed_when_nothing_follows() -> None:
    reader = Backlog(lines=100, size=1000)
    for _ in range(20):
        reader.put("x" * 100)
    assert len(await reader.take()) == 10 and reader.dropped == 10
    assert "10 lines were dropped" in (await reader.take())[0]


async def test_what_waits_for_the_disk_is_bounded_and_the_log_says_how_much_was_dropped(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "PENDING", 10_000)
    for _ in range(1000):
        journal.put(said("app[web.1]", "x" * 50))
    found = await texts(journal, Query(count=1000))
    assert 50 < len(found) < 200
    assert found[-1] == f"{1001 - len(found)} lines were dropped here: they came faster than the disk took them"


async def test_lines_that_the_disk_refuses_are_counted_and_the_next_go_on(tmp_path: Path) -> None:
    (tmp_path / "blog").write_text("in the way")
    journal = Journal(tmp_path / "blog", ThreadPoolExecutor(1))
    journal.put(said("app[web.1]", "lost"))
    await asyncio.to_thread(journal.flush)
    (tmp_path / "blog").unlink()
    journal.put(said("app[web.1]", "kept"))
    assert (await texts(journal, Query()))[0] == "kept"
    assert "1 lines were dropped" in (await texts(journal, Query()))[1]
    await journal.close()


async def test_a_deleted_journal_takes_nothing_more_and_lets_its_readers_go(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "blog", ThreadPoolExecutor(1))
    reader = journal.subscribe()
    journal.note("api", "here")
    await journal.find(Query())
    assert len(await reader.take()) == 1
    await journal.delete()
    journal.note("api", "gone")
    await asyncio.to_thread(journal.flush)
    assert not (tmp_path / "blog").exists() and await reader.take() == []


def test_since_takes_spans_and_times() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert since("", now) == ""
    assert since("10m", now) == "2026-11-22T11:50:00.000000+00:00"
    assert since("2h", now).startswith("2026-11-22T10") and since("1d", now).startswith("2026-11-21T12")
    assert since("2026-11-22T12:00") == since("2026-11-22T13:00+01:00") == "2026-11-22T12:00:00.000000+00:00"
    for text in ("yesterday", "10", "m", "99999999d", "999999d", "-1h"):
        with pytest.raises(Invalid):
            since(text, now)
