"""Drains: where an app's lines are sent as they come."""

from dataclasses import dataclass

from mothership.errors import Conflict
from mothership.store.database import Row, Store, now


@dataclass(frozen=True)
class Drain:
    """A drain. `url` may hold a password: show `mothership.logs.address.masked(url)` instead.

    `anywhere` ones were added by an admin, and may lead to the server's own networks.
    """

    id: int
    app: str
    url: str
    created: str
    anywhere: bool = False


class Drains:
    """The drains of every app; they go with it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, app: str, url: str, *, anywhere: bool = False) -> Drain:
        """Raises Conflict when the app has this one already."""
        if self._store.row("SELECT 1 FROM drains WHERE app = ? AND url = ?", app, url):
            raise Conflict(f"{app} has this drain already.", f"See its drains: drains {app}")
        created = now()
        record = {"app": app, "url": url, "created": created, "anywhere": int(anywhere)}
        return Drain(self._store.insert("drains", record), app, url, created, anywhere)

    def remove(self, drain: Drain) -> None:
        self._store.write("DELETE FROM drains WHERE id = ?", drain.id)

    def of(self, app: str) -> list[Drain]:
        """An app's drains, the oldest first."""
        return [_drain(row) for row in self._store.rows("SELECT * FROM drains WHERE app = ? ORDER BY id", app)]

    def all(self) -> list[Drain]:
        return [_drain(row) for row in self._store.rows("SELECT * FROM drains ORDER BY id")]


def _drain(row: Row) -> Drain:
    return Drain(row["id"], row["app"], row["url"], row["created"], bool(row["anywhere"]))
