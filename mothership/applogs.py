"""What apps print, kept across releases and restarts, in Heroku's line format."""

import asyncio
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from mothership.engine import Engine
from mothership.errors import MothershipError
from mothership.log import logger

log = logger()
SIZE = 16 * 1024 * 1024
BACKLOG = 5000


class AppLog:
    """One app's log: a file and the one before it, each up to 16 MiB, and those who follow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._followers: set[asyncio.Queue[str]] = set()
        self._dropped: dict[asyncio.Queue[str], int] = {}

    def write(self, line: str) -> None:
        """Append a line and pass it to the followers; a follower that is too slow misses lines and is told."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
                full = file.tell() > SIZE
            if full:
                self._path.replace(self._path.with_suffix(".1.log"))
        except OSError as error:
            log.warning("app log not written", path=str(self._path), error=str(error))
        for queue in self._followers:
            self._pass_on(queue, line)

    def tail(self, count: int) -> list[str]:
        """The last `count` lines."""
        lines: deque[str] = deque(maxlen=count)
        for path in (self._path.with_suffix(".1.log"), self._path):
            if path.exists():
                with path.open(encoding="utf-8", errors="replace") as file:
                    lines.extend(line.rstrip("\n") for line in file)
        return list(lines)

    def subscribe(self) -> asyncio.Queue[str]:
        queue: asyncio.Queue[str] = asyncio.Queue(BACKLOG)
        self._followers.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[str]) -> None:
        self._followers.discard(queue)
        self._dropped.pop(queue, None)

    def delete(self) -> None:
        for path in (self._path.with_suffix(".1.log"), self._path):
            path.unlink(missing_ok=True)

    def _pass_on(self, queue: asyncio.Queue[str], line: str) -> None:
        missed = self._dropped.get(queue, 0)
        if queue.qsize() >= BACKLOG - 1:
            self._dropped[queue] = missed + 1
            return
        if missed:
            queue.put_nowait(f"(… {missed} lines were dropped here: they came faster than they were read)")
            self._dropped[queue] = 0
            if queue.full():
                self._dropped[queue] = 1
                return
        queue.put_nowait(line)


class AppLogs:
    """Follows every container of the installation and writes its lines to its app's log."""

    def __init__(self, data: Path, engine: Engine) -> None:
        self._root = data / "logs" / "apps"
        self._engine = engine
        self._logs: dict[str, AppLog] = {}
        self._following: dict[str, asyncio.Task[None]] = {}

    def of(self, app: str) -> AppLog:
        return self._logs.setdefault(app, AppLog(self._root / f"{app}.log"))

    def watch(self, containers: Iterable[tuple[str, str, str]]) -> None:
        """Follow these (container, app, process.N) that aren't followed yet."""
        present = set()
        for container, app, source in containers:
            present.add(container)
            if container not in self._following:
                self._following[container] = asyncio.create_task(self._follow(container, app, source))
        for container in [c for c, task in self._following.items() if task.done() and c not in present]:
            del self._following[container]

    async def close(self) -> None:
        for task in self._following.values():
            task.cancel()

    async def _follow(self, container: str, app: str, source: str) -> None:
        since = self._last_seen(app, source)
        try:
            async for time, text in self._engine.follow(container, since=since):
                stamp = time[:26].rstrip("Z").ljust(26, "0")
                self.of(app).write(f"{stamp}+00:00 app[{source}]: {text}")
        except MothershipError as error:
            log.warning("app log interrupted", app=app, source=source, error=error.message)
            self._following.pop(container, None)

    def _last_seen(self, app: str, source: str) -> str:
        """Where an earlier daemon stopped reading, as a Unix time; "0" when it never read."""
        for line in reversed(self.of(app).tail(1000)):
            if f" app[{source}]: " in line:
                try:
                    return f"{datetime.fromisoformat(line.split(' ', 1)[0]).timestamp() + 1e-6:.9f}"
                except ValueError:
                    break
        return "0"
