"""The audit trail: what was changed or refused, by whom and from where; each entry is sealed with the one before."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from mothership.store.database import Row, Store, now

START = "0" * 64
FIELDS = ("id", "at", "user", "remote", "door", "action", "app", "detail", "outcome")


@dataclass(frozen=True)
class Entry:
    """One thing that was done or refused. `outcome` is ok, or why not."""

    user: str
    remote: str
    door: str
    action: str
    app: str = ""
    detail: str = ""
    outcome: str = "ok"


class Audit:
    """Entries can be added and read; the database refuses to change or delete one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, entry: Entry) -> None:
        """Append an entry."""
        with self._store.transaction():
            head = self._head()
            row: Row = {"id": head["id"] + 1, "at": now(), **asdict(entry)}
            seal = sealed(head["seal"], row)
            self._store.insert("audit", {**row, "seal": seal})
            self._store.write("UPDATE audit_head SET id = ?, seal = ?", row["id"], seal)

    def list(self, *, app: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """The last entries, newest first; an app's or all. A limit of 0 means all there are."""
        where, values = ("WHERE app = ?", [app]) if app else ("", [])
        rows = self._store.rows(f"SELECT * FROM audit {where} ORDER BY id DESC LIMIT ?", *values, limit or -1)
        return [{name: row[name] for name in (*FIELDS, "seal")} for row in rows]

    def verify(self) -> str:
        """Where the trail was tampered with, "" when it is whole: a row changed, removed, added or moved."""
        seal, expected = START, 1
        for row in self._store.rows("SELECT * FROM audit ORDER BY id"):
            if row["id"] != expected:
                return f"Entry {expected} is missing."
            seal = sealed(seal, row)
            if seal != row["seal"]:
                return f"Entry {expected} was changed, or stands in another place than it was written."
            expected += 1
        head = self._head()
        if head["id"] != expected - 1 or head["seal"] != seal:
            return f"The trail ends at entry {expected - 1}, but {head['id']} were written."
        return ""

    def _head(self) -> Row:
        return self._store.row("SELECT id, seal FROM audit_head") or {"id": 0, "seal": START}


def sealed(before: str, row: Row) -> str:
    """The seal of an entry: a SHA-256 over the seal before it and all that the entry says."""
    text = json.dumps([row[name] for name in FIELDS], ensure_ascii=True)
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
