"""Reading lines back: the last ones from the end of the files, and those that match by way of grep(1)."""

import asyncio
import os
import re
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from mothership.errors import Invalid, MothershipError
from mothership.logs.line import HEAD
from mothership.logs.segments import MIB, backwards

ANSWER = 64 * MIB
"""Bytes of one answer at most."""
TIME = 20
"""Seconds a search may take."""
MEMORY = 512 * MIB
"""Bytes that grep may use: a hostile pattern ends itself."""
GROUPS = (1, 4, 16)
"""How many segments are searched at once, the newest first; all that are left in the end."""


@dataclass(frozen=True)
class Query:
    """Which lines: the last `count` that have all the words, match the extended regular expression, and so on.

    `process` is a type or a process (web, web.1), `source` app or mothership, `since` an ISO 8601 time in UTC.
    """

    count: int = 100
    words: tuple[str, ...] = ()
    regex: str = ""
    process: str = ""
    source: str = ""
    since: str = ""

    @property
    def needs_search(self) -> bool:
        return bool(self.words or self.regex or self.process or self.source)

    def wants(self, line: str) -> bool:
        """Whether a stored line is among them, by all but the regular expression and the count."""
        if self.since and line[:26] < self.since[:26]:
            return False
        if self.source and not line.startswith(f"{self.source}[", HEAD):
            return False
        if self.process:
            whole, piece = f"[{self.process}]: ", f"[{self.process}."
            where = line.find("[", HEAD)
            if where < 0 or not line.startswith((whole, piece), where):
                return False
        text = line[HEAD:]
        return all(word in text for word in self.words)

    def patterns(self) -> list[tuple[str, str]]:
        """What grep looks for, one behind the other: kinds of patterns, and the patterns that fewest lines have."""
        if self.regex:
            anchored = self.regex.startswith("^")
            regex = self.regex.removeprefix("^")
            return [("-E", regex), ("-E", rf"^.{{{HEAD}}}{'[^ ]* ' if anchored else '.*'}({regex})")]
        if self.words:
            return [("-F", max(self.words, key=len))]
        process = re.escape(self.process) + r"(\.[0-9]+)?\]" if self.process else ""
        return [("-E", rf"^.{{{HEAD}}}{self.source or '[a-z]+'}\[{process}")]


def tail(files: Sequence[Path], query: Query) -> list[str]:
    """The last lines, by time alone: read from the end, no more than is needed. Blocking."""
    recent = [path for path in files if _reaches(path, query.since)]
    lines = (line.decode(errors="replace") for line in backwards(recent))
    found, left = [], ANSWER
    for line in islice((line for line in lines if query.wants(line)), query.count):
        found.append(line)
        left -= len(line)
        if left < 0:
            break
    return found[::-1]


async def search(files: Sequence[Path], query: Query) -> list[str]:
    """The last lines that a query wants, the newest segments first. Raises Invalid, MothershipError."""
    left = [path for path in files if _reaches(path, query.since)]
    groups = iter(GROUPS)
    found: list[str] = []
    try:
        async with asyncio.timeout(TIME):
            while left and len(found) < query.count:
                size = next(groups, len(left))
                found = await _both(left[-size:], query, query.count - len(found)) + found
                left = left[:-size]
    except TimeoutError:
        raise MothershipError(
            f"The search took longer than {TIME} seconds and was stopped.",
            "Search less: --since 1h, or words instead of a pattern.",
        ) from None
    return found


async def _both(files: Sequence[Path], query: Query, count: int) -> list[str]:
    """The last lines wanted of some segments, many of them searched as two halves at once."""
    half = len(files) // 2
    if half < 2:
        return await _grep(files, query, count)
    older, newer = await asyncio.gather(_grep(files[:half], query, count), _grep(files[half:], query, count))
    return (older + newer)[-count:]


async def _grep(files: Sequence[Path], query: Query, count: int) -> list[str]:
    """The last lines wanted, by a grep for each pattern, the next one fed by the one before."""
    children: list[Process] = []
    source = asyncio.subprocess.DEVNULL
    names = ["--", *map(str, files)]
    try:
        with ExitStack() as stack:
            *firsts, last = query.patterns()
            for kind, pattern in firsts:
                read, write = os.pipe()
                stack.callback(os.close, read)
                stack.callback(os.close, write)
                children.append(await _child(kind, pattern, names, source, write))
                source, names = read, []
            children.append(await _child(*last, names, source, asyncio.subprocess.PIPE))
        output = children[-1].stdout
        assert output
        found = await _last(output, query, count)
        for child in children:
            await _explain(child)
        return found
    finally:
        for child in children:
            if child.returncode is None:
                child.kill()
                await child.wait()


async def _child(kind: str, pattern: str, names: list[str], source: int, sink: int) -> Process:
    return await asyncio.create_subprocess_exec(
        *("prlimit", f"--as={MEMORY}", f"--cpu={TIME}", "--"),
        *("grep", "-a", "-h", "-s", kind, "-e", pattern, *names),
        stdin=source,
        stdout=sink,
        stderr=asyncio.subprocess.PIPE,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        limit=MIB,
    )


async def _explain(child: Process) -> None:
    """Wait for a grep's end. Raises Invalid when it could not search."""
    assert child.stderr
    said = (await child.stderr.read(2000)).decode(errors="replace").strip()
    code = await child.wait()
    if code < 0 or (code > 1 and said):
        raise Invalid(
            f"The pattern can't be searched for: {said.removeprefix('grep: ')[:200] or 'it takes too long'}.",
            "It is an extended regular expression, as grep -E takes it.",
        )


async def _last(lines: asyncio.StreamReader, query: Query, count: int) -> list[str]:
    """The last of the lines that the query wants, bounded in number and size."""
    found: deque[str] = deque()
    size, rest = 0, b""
    while data := await lines.read(MIB):
        *whole, rest = (rest + data).split(b"\n")
        for line in _wanted(whole, query):
            found.append(line)
            size += len(line)
            if len(found) > count or size > ANSWER:
                size -= len(found.popleft())
        await asyncio.sleep(0)
    return list(found)


def _wanted(lines: Iterable[bytes], query: Query) -> Iterable[str]:
    return (line for line in (raw.decode(errors="replace") for raw in lines) if query.wants(line))


def _reaches(path: Path, since: str) -> bool:
    """Whether a segment may have lines from then on: it was written to afterwards."""
    if not since:
        return True
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime + 1, UTC)
    except FileNotFoundError:
        return False
    return written.isoformat(timespec="microseconds")[:26] >= since[:26]
