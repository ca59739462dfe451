"""The database itself: opening it, and bringing an older one up to date."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from mothership.store.migrations import migrations

Row = dict[str, Any]


def now() -> str:
    """The current time in UTC, ISO 8601 with microseconds: it sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Store:
    """The open database. Calls are short and synchronous; every write is on disk when it returns."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        path = data / "mothership.db"
        self._connection = sqlite3.connect(path, timeout=10, check_same_thread=False)
        path.chmod(0o600)
        self._db = Database(self._connection)
        self._db.enable_wal()
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA foreign_keys=ON")
        migrations.apply(self._db)

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows of a query."""
        return list(self._db.query(sql, values))

    def row(self, sql: str, *values: object) -> Row | None:
        """The first row of a query, None when there is none."""
        return next(iter(self._db.query(sql, values)), None)

    def insert(self, table: str, record: Row, **options: Any) -> int:
        """Insert a record; its row id."""
        return int(self._db.table(table).insert(record, **options).last_rowid or 0)

    def write(self, sql: str, *values: object) -> int:
        """Run one writing statement; how many rows it changed."""
        with self.transaction():
            return int(self._db.execute(sql, list(values)).rowcount)

    def stamp(self) -> tuple[int, int] | None:
        """Differs whenever anything was written since, by us or by another process; None while we are at it."""
        if self._connection.in_transaction:
            return None
        return self._connection.total_changes, self._connection.execute("PRAGMA data_version").fetchone()[0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it."""
        with self._db.atomic():
            yield

    def close(self) -> None:
        self._db.close()
