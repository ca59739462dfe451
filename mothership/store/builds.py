"""Builds: what became of each commit that was pushed."""

import json
import secrets
from dataclasses import asdict, dataclass

from mothership import health
from mothership.model import Image
from mothership.store.database import Row, Store, now


@dataclass(frozen=True)
class Build:
    """One build and its release. `status` is running, succeeded, failed, cancelled or superseded.

    `source` says where it came from when that was not a push: `tar NAME`, `git URL`, `image REFERENCE`.
    """

    id: str
    app: str
    commit: str
    user: str
    status: str
    started: str
    finished: str
    source: str = ""


def dump_image(image: Image) -> str:
    return json.dumps(asdict(image))


def load_image(text: str) -> Image:
    values = json.loads(text)
    checks = health.load(values.get("checks") or {})
    return Image(**{**values, "entrypoint": tuple(values["entrypoint"]), "checks": checks})


class Builds:
    """The builds of every app."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, app: str, commit: str, user: str, source: str = "") -> str:
        """Record that a build has started; its id."""
        build = f"{now()[:19].replace('-', '').replace(':', '').replace('T', '-')}-{secrets.token_hex(3)}"
        record = {"id": build, "app": app, "commit_id": commit, "user": user, "status": "running", "started": now()}
        record["source"] = source
        self._store.insert("builds", record)
        return build

    def arrived(self, build: str, commit: str) -> None:
        """Record the commit that a build's source became once it was here."""
        self._store.write("UPDATE builds SET commit_id = ? WHERE id = ?", commit, build)

    def last(self, app: str) -> Build | None:
        """The last build whose release came to serve, None when there is none."""
        row = self._store.row(
            "SELECT * FROM builds WHERE app = ? AND status = 'succeeded' ORDER BY started DESC LIMIT 1", app
        )
        return _build(row) if row else None

    def image(self, build: str) -> Image | None:
        """The image that a build made, None when there is none."""
        row = self._store.row("SELECT image FROM builds WHERE id = ?", build)
        return load_image(row["image"]) if row and row["image"] else None

    def built(self, build: str, image: Image) -> None:
        """Record the image a build made; whether it comes to serve is still open."""
        self._store.write("UPDATE builds SET image = ? WHERE id = ?", dump_image(image), build)

    def end(self, build: str, status: str) -> None:
        """Record how a build and its release ended."""
        self._store.write("UPDATE builds SET status = ?, finished = ? WHERE id = ?", status, now(), build)

    def find(self, app: str, build: str) -> Build | None:
        """A build of an app, None when there is none of that id."""
        row = self._store.row("SELECT * FROM builds WHERE app = ? AND id = ?", app, build)
        return _build(row) if row else None

    def list(self, app: str, *, limit: int = 20) -> list[Build]:
        """An app's builds, newest first."""
        rows = self._store.rows("SELECT * FROM builds WHERE app = ? ORDER BY id DESC LIMIT ?", app, limit)
        return [_build(row) for row in rows]

    def abandon(self) -> int:
        """Mark builds that died with an earlier daemon as cancelled; how many."""
        return self._store.write("UPDATE builds SET status = 'cancelled', finished = ? WHERE status = 'running'", now())


def _build(row: Row) -> Build:
    return Build(
        id=row["id"],
        app=row["app"],
        commit=row["commit_id"],
        user=row["user"],
        status=row["status"],
        started=row["started"],
        finished=row["finished"] or "",
        source=row["source"],
    )
