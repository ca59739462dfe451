"""Releases: numbered, immutable, and one of them current."""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict, replace

from mothership.errors import NotFound
from mothership.model import Limits, RefUpdate, Release
from mothership.store.builds import dump_image, load_image
from mothership.store.database import Row, Store, now


class Releases:
    """The releases of every app. `status` goes pending → current → superseded, or pending → failed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, int, str, str], Release] = {}

    def all_or_nothing(self) -> AbstractContextManager[None]:
        """What is written in the block is written together, or not at all."""
        return self._store.transaction()

    def create(self, release: Release) -> Release:
        """Record a release as pending under the app's next version."""
        with self._store.transaction():
            row = self._store.row("SELECT MAX(version) AS last FROM releases WHERE app = ?", release.app)
            version = ((row or {}).get("last") or 0) + 1
            made = replace(release, version=version, status="pending", created=now())
            self._store.insert("releases", _record(made))
        return made

    def make_current(self, release: Release) -> None:
        """This release serves from now on, and its formation is what the app asks for."""
        with self._store.transaction():
            self._store.write(
                "UPDATE releases SET status = 'superseded' WHERE app = ? AND status = 'current'", release.app
            )
            self._status(release, "current")
            self._store.write("UPDATE apps SET current = ? WHERE name = ?", release.version, release.app)

    def fail(self, release: Release) -> None:
        self._status(release, "failed")

    def rescale(self, release: Release) -> None:
        """Keep a changed formation with the running release."""
        self._store.write(
            "UPDATE releases SET formation = ? WHERE app = ? AND version = ?",
            json.dumps(dict(release.formation)),
            release.app,
            release.version,
        )

    def get(self, app: str, version: int) -> Release:
        """A release by number. Raises NotFound."""
        release = self.find(app, version)
        if release is None:
            raise NotFound(f"{app} has no release v{version}.", f"See its releases: releases {app}")
        return release

    def find(self, app: str, version: int) -> Release | None:
        """A release by number, None when there is none."""
        row = self._store.row("SELECT * FROM releases WHERE app = ? AND version = ?", app, version)
        return _release(row) if row else None

    def current(self, app: str) -> Release | None:
        """The release that serves, None before the first one does."""
        row = self._store.row("SELECT * FROM releases WHERE app = ? AND status = 'current'", app)
        return _release(row) if row else None

    def serving(self) -> dict[str, Release]:
        """The current release of every app that has one. Cheap: what has not changed is not read again."""
        rows = self._store.rows("SELECT app, version, formation, image FROM releases WHERE status = 'current'")
        keys = {row["app"]: (row["app"], row["version"], row["formation"], row["image"]) for row in rows}
        self._known = {key: self._known.get(key) or self.get(key[0], key[1]) for key in keys.values()}
        return {app: self._known[key] for app, key in keys.items()}

    def list(self, app: str, *, limit: int = 20) -> list[Release]:
        """An app's releases, newest first."""
        rows = self._store.rows("SELECT * FROM releases WHERE app = ? ORDER BY version DESC LIMIT ?", app, limit)
        return [_release(row) for row in rows]

    def agree(self, app: str, update: RefUpdate, *, moved: bool = False) -> None:
        """Note the ref move that a push is about; git writes the ref itself, after our verdict.

        `moved` is for a detached deploy, whose ref moves first.
        """
        record = {"app": app, "ref": update.ref, "old": update.old, "new": update.new, "moved": int(moved)}
        self._store.insert("agreed_refs", record, replace=True)

    def agreed(self) -> tuple[tuple[str, RefUpdate, bool], ...]:
        """The moves that were noted and not settled: app, update and whether the ref was to move first."""
        rows = self._store.rows("SELECT * FROM agreed_refs ORDER BY app, ref")
        return tuple((row["app"], RefUpdate(row["old"], row["new"], row["ref"]), bool(row["moved"])) for row in rows)

    def settle(self, app: str, ref: str) -> None:
        """Forget a noted move: git has written the ref, or never will."""
        self._store.write("DELETE FROM agreed_refs WHERE app = ? AND ref = ?", app, ref)

    def abandon(self) -> int:
        """Mark releases that died with an earlier daemon as failed; how many."""
        return self._store.write("UPDATE releases SET status = 'failed' WHERE status = 'pending'")

    def _status(self, release: Release, status: str) -> None:
        self._store.write(
            "UPDATE releases SET status = ? WHERE app = ? AND version = ?", status, release.app, release.version
        )


def _record(release: Release) -> Row:
    return {
        "app": release.app,
        "version": release.version,
        "status": release.status,
        "image": dump_image(release.image),
        "config": json.dumps(dict(release.config)),
        "formation": json.dumps(dict(release.formation)),
        "limits": json.dumps({process: asdict(limits) for process, limits in release.limits.items()}),
        "drain": release.drain,
        "commit_id": release.commit,
        "description": release.description,
        "user": release.user,
        "created": release.created,
    }


def _release(row: Row) -> Release:
    return Release(
        app=row["app"],
        version=row["version"],
        image=load_image(row["image"]),
        config=json.loads(row["config"]),
        formation=json.loads(row["formation"]),
        limits={process: Limits(**values) for process, values in json.loads(row["limits"]).items()},
        drain=row["drain"],
        commit=row["commit_id"],
        description=row["description"],
        user=row["user"],
        status=row["status"],
        created=row["created"],
    )
