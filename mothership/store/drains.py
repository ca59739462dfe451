"""Drains: where an app's lines are sent as they come."""

from dataclasses import dataclass

from mothership.errors import Conflict
from mothership.store.database import Row, Store, now


@dataclass(frozen=True)
class Drain:
    """A drain. `url` may hold a password: show `mothership.logs.address.masked(url)` instead."""

    id: int
    app: str
    url: str
    created: str


class Drains:
    """The drains of every app; they go with it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, app: str, url: str) -> Drain:
        """Raises Conflict when the app has this one already."""
        if self._store.row("SELECT 1 FROM drains WHERE app = ? AND url = ?", app, url):
            raise Conflict(f"{app} has this drain already.", f"See its drains: drains {app}")
        created = now()
        record = {"app": app, "url": url, "created": created}
        return Drain(self._store.insert("drains", record), app, url, created)

    def remove(self, drain: Drain) -> None:
        self._store.write("DELETE FROM drains WHERE id = ?", drain.id)

    def of(self, app: str) -> list[Drain]:
        """An app's drains, the oldest first."""
        return [_drain(row) for row in self._store.rows("SELECT * FROM drains WHERE app = ? ORDER BY id", app)]

    def all(self) -> list[Drain]:
        return [_drain(row) for row in self._store.rows("SELECT * FROM drains ORDER BY id")]


def _drain(row: Row) -> Drain:
    return Drain(id=row["id"], app=row["app"], url=row["url"], created=row["created"])
