"""What deploys without a push need: webhooks and their deliveries, deploy keys, logins of image registries."""

import secrets
from dataclasses import dataclass, field

from mothership.store.database import Row, Store, now

KEPT = 200
"""Deliveries of a webhook that are remembered."""


@dataclass(frozen=True)
class Webhook:
    """A repository whose pushes deploy an app. `user` is who added it and in whose name it deploys.

    `slug` stands in its URL and is no secret; `secret` is what the provider proves to know; `token` is for commit
    statuses, "" for none.
    """

    id: int
    app: str
    slug: str
    user: int
    url: str
    branch: str
    provider: str
    api: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    created: str


class Webhooks:
    """The webhooks of every app; they go with it, and with who added them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, app: str, user: int, *, url: str, branch: str, provider: str, api: str, token: str) -> Webhook:
        record = {"app": app, "slug": secrets.token_hex(6), "user": user, "url": url, "branch": branch}
        record |= {"provider": provider, "api": api, "secret": secrets.token_hex(24), "token": token}
        made = self._store.insert("webhooks", record | {"created": now()})
        return next(hook for hook in self.of(app) if hook.id == made)

    def of(self, app: str) -> list[Webhook]:
        return [_webhook(row) for row in self._store.rows("SELECT * FROM webhooks WHERE app = ? ORDER BY id", app)]

    def find(self, slug: str) -> Webhook | None:
        """A webhook by what stands in its URL; its app may have another name by now."""
        row = self._store.row("SELECT * FROM webhooks WHERE slug = ?", slug)
        return _webhook(row) if row else None

    def remove(self, hook: Webhook) -> None:
        with self._store.transaction():
            self._store.write("DELETE FROM deliveries WHERE webhook = ?", hook.id)
            self._store.write("DELETE FROM webhooks WHERE id = ?", hook.id)

    # deliveries

    def seen(self, hook: Webhook, key: str, digest: str) -> bool:
        """Whether a delivery came before, by its id or (where that is not signed) by what it says."""
        found = "SELECT 1 FROM deliveries WHERE webhook = ? AND (key = ? OR (? <> '' AND digest = ?))"
        return self._store.row(found, hook.id, key, digest, digest) is not None

    def receive(self, hook: Webhook, key: str, digest: str, *, event: str, commit: str, outcome: str) -> int:
        """Remember a delivery; its number."""
        record = {"webhook": hook.id, "key": key, "digest": digest, "event": event, "commit_id": commit}
        with self._store.transaction():
            made = self._store.insert("deliveries", record | {"build": "", "outcome": outcome, "at": now()})
            self._store.write(
                "DELETE FROM deliveries WHERE webhook = ? AND id NOT IN "
                "(SELECT id FROM deliveries WHERE webhook = ? ORDER BY id DESC LIMIT ?)",
                *(hook.id, hook.id, KEPT),
            )
        return made

    def conclude(self, delivery: int, outcome: str, *, build: str) -> None:
        self._store.write("UPDATE deliveries SET outcome = ?, build = ? WHERE id = ?", outcome, build, delivery)

    def open(self) -> list[tuple[Webhook, int, str, str]]:
        """Deliveries whose end nobody has heard of yet: webhook, number, commit and build."""
        rows = self._store.rows(
            "SELECT webhooks.*, deliveries.id AS delivery, commit_id, build FROM deliveries "
            "JOIN webhooks ON webhooks.id = deliveries.webhook WHERE outcome = 'deploying'"
        )
        return [(_webhook(row), row["delivery"], row["commit_id"], row["build"]) for row in rows]

    def deliveries(self, app: str, *, limit: int) -> list[Row]:
        """The last deliveries to an app's webhooks, newest first, with how their builds stand."""
        return self._store.rows(
            "SELECT deliveries.*, webhooks.slug AS slug, COALESCE(builds.status, '') AS status FROM deliveries "
            "JOIN webhooks ON webhooks.id = deliveries.webhook LEFT JOIN builds ON builds.id = deliveries.build "
            "WHERE webhooks.app = ? ORDER BY deliveries.id DESC LIMIT ?",
            app,
            limit,
        )


@dataclass(frozen=True)
class DeployKey:
    """An app's SSH key for repositories that it deploys from, and the hosts' keys it has met (known_hosts)."""

    private: str = field(repr=False)
    public: str
    hosts: str


class DeployKeys:
    """At most one per app, made by `make` when it is asked for first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, app: str) -> DeployKey | None:
        row = self._store.row("SELECT * FROM deploy_keys WHERE app = ?", app)
        return DeployKey(row["private"], row["public"], row["hosts"]) if row else None

    def put(self, app: str, private: str, public: str) -> None:
        """Give an app its key, in the place of an earlier one."""
        record = {"app": app, "private": private, "public": public, "hosts": ""}
        self._store.insert("deploy_keys", record, replace=True)

    def met(self, app: str, hosts: str) -> None:
        """Remember the keys of the hosts that an app's key was used with."""
        self._store.write("UPDATE deploy_keys SET hosts = ? WHERE app = ?", hosts, app)


@dataclass(frozen=True)
class Login:
    """How an app's images are pulled from a registry."""

    host: str
    user: str
    password: str = field(repr=False)


class Logins:
    """The registry logins of every app."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, app: str, login: Login) -> None:
        record = {"app": app, "host": login.host, "user": login.user, "password": login.password}
        self._store.insert("registries", record, replace=True)

    def of(self, app: str) -> list[Login]:
        rows = self._store.rows("SELECT * FROM registries WHERE app = ? ORDER BY host", app)
        return [Login(row["host"], row["user"], row["password"]) for row in rows]

    def find(self, app: str, host: str) -> Login | None:
        return next((login for login in self.of(app) if login.host == host), None)

    def remove(self, app: str, host: str) -> bool:
        """Forget a login; whether there was one."""
        return self._store.write("DELETE FROM registries WHERE app = ? AND host = ?", app, host) > 0


def _webhook(row: Row) -> Webhook:
    return Webhook(**{name: row[name] for name in Webhook.__dataclass_fields__})
