"""The files that hold an app's lines: appended, read back from the end, bounded, and mended after a crash."""

import os
from pathlib import Path

import pytest

from mothership.logs.cursors import Sieve
from mothership.logs.line import OWN, Clock, engine_time, shown, stored, unix_time
from mothership.logs.search import Query, tail
from mothership.logs.segments import Bounds, Segments, backwards


def line(number: int, whose: str = OWN, source: str = "app[web.1]") -> str:
    return stored(f"2026-11-22T12:00:00.{number:09}+00:00", whose, source, f"line {number}")


def test_a_line_is_shown_in_herokus_form() -> None:
    at = engine_time("2026-11-22T12:00:00.0000012Z")
    assert at == "2026-11-22T12:00:00.000001200+00:00" and len(at) == 35
    text = shown(stored(at, "0123456789ab1", "app[web.1]", "GET /: 200"))
    assert text == "2026-11-22T12:00:00.000001+00:00 app[web.1]: GET /: 200"
    assert unix_time("1970-01-01T00:00:10.500000000+00:00", earlier=2) == "8.500000"


def test_the_clock_never_says_the_same_twice() -> None:
    clock = Clock()
    times = [clock.now() for _ in range(1000)]
    assert len(set(times)) == 1000 and sorted(times) == times and {len(at) for at in times} == {35}


@pytest.mark.parametrize("count", [0, 1, 7, 5000, 20000])
def test_the_last_lines_are_read_from_the_end(tmp_path: Path, count: int) -> None:
    segments = Segments(tmp_path / "blog", Bounds(size=1))
    for start in range(0, 10000, 500):
        segments.append([line(number) for number in range(start, start + 500)])
    assert len(segments.files()) > 3
    assert tail(segments.files(), Query(count=count))[-5:] == [line(n) for n in range(10000)][10000 - count :][-5:]
    kept = sum(path.read_bytes().count(b"\n") for path in segments.files())
    assert len(tail(segments.files(), Query(count=count))) == min(count, kept)


def test_the_whole_is_bounded_and_the_oldest_goes_first(tmp_path: Path) -> None:
    segments = Segments(tmp_path / "blog", Bounds(size=1))
    for start in range(0, 40000, 500):
        segments.append([line(number) for number in range(start, start + 500)])
    assert sum(path.stat().st_size for path in segments.files()) <= 1024 * 1024
    found = tail(segments.files(), Query(count=100000))
    assert found[-1] == line(39999) and found == [line(n) for n in range(40000 - len(found), 40000)]


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    segments = Segments(tmp_path / "blog", Bounds(size=1, days=2))
    for start in range(0, 4000, 500):
        segments.append([line(number) for number in range(start, start + 500)])
    segments.close()
    first, *others = segments.files()
    os.utime(first, (0, 0))
    segments.prune()
    assert segments.files() == others and others


def test_a_line_that_was_not_written_whole_is_cut_off(tmp_path: Path) -> None:
    segments = Segments(tmp_path / "blog", Bounds())
    segments.append([line(1)])
    with segments.files()[0].open("ab") as file:
        file.write(line(2).encode()[:30])
    again = Segments(tmp_path / "blog", Bounds())
    again.append([line(3)])
    assert tail(again.files(), Query()) == [line(1), line(3)]


def test_a_torn_end_is_not_shown_to_a_reader(tmp_path: Path) -> None:
    (tmp_path / "1.log").write_bytes(b"one\ntwo\nthr")
    assert list(backwards([tmp_path / "1.log", tmp_path / "absent.log"])) == [b"two", b"one"]


@pytest.mark.parametrize("ending", ["closed", "killed", "without the file of cursors"])
def test_cursors_outlive_the_daemon_however_it_ends(tmp_path: Path, ending: str) -> None:
    segments = Segments(tmp_path / "blog", Bounds())
    segments.append([line(1, "aaaaaaaaaaaa1"), line(2, "bbbbbbbbbbbb1")])
    segments.append([line(3, "aaaaaaaaaaaa1"), line(3, "aaaaaaaaaaaa1")])
    if ending == "closed":
        segments.close()
    elif ending != "killed":
        (tmp_path / "blog" / "cursors.json").write_text("{")
    again = Segments(tmp_path / "blog", Bounds())
    assert again.cursor("aaaaaaaaaaaa1") == ("2026-11-22T12:00:00.000000003+00:00", 2)
    assert again.cursor("bbbbbbbbbbbb1") == ("2026-11-22T12:00:00.000000002+00:00", 1)
    assert again.cursor("cccccccccccc1") == ("", 0)


def test_a_stream_read_again_is_new_right_after_its_cursor() -> None:
    sieve = Sieve(("1", 2))
    assert [sieve.new(at) for at in ("0", "1", "1", "1", "12")] == [False, False, False, True, True]
    assert Sieve(("", 0)).new("1")


@pytest.mark.parametrize(
    ("read", "gaps"),
    [(["1", "2"], []), (["2", "3"], ["2"]), (["0", "2"], ["2"]), (["1", "1", "1", "2"], []), ([], [])],
)
def test_a_gap_is_where_the_cursors_own_line_is_gone(read: list[str], gaps: list[str]) -> None:
    sieve = Sieve(("1", 2), awaited=True)
    assert [at for at in read if sieve.new(at) and sieve.gap] == gaps
    first = Sieve(("", 0), awaited=True)
    assert not any(first.new(at) and first.gap for at in read)


def test_what_the_engine_repeats_is_let_through_once_and_a_clock_may_be_set_back() -> None:
    sieve = Sieve(("", 0))
    printed = ["1", "11", "12", "12", "13", "13"]
    assert all(sieve.new(at) for at in printed)
    assert not any(sieve.new(at) for at in printed[2:]) and sieve.new("14")
    assert sieve.new("3026-11-22") and sieve.new("2026-11-22") and sieve.new("2026-11-23")


def test_only_its_owner_reads_an_apps_lines(tmp_path: Path) -> None:
    segments = Segments(tmp_path / "blog", Bounds())
    segments.append([line(1)])
    assert segments.files()[0].stat().st_mode & 0o077 == 0
