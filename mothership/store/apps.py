"""Apps: who owns them, their configuration and their formation."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from mothership.errors import Conflict, NotFound
from mothership.model import Limits, Role, User, app_name
from mothership.store.database import Row, Store, now


@dataclass(frozen=True)
class App:
    """An app. `branch` is the one that deploys; `current` is the serving release's version, 0 before the first.

    `drain` is in seconds, None for the server's default; `unchecked` are the process types without health checks.
    `parent` and `expires` (ISO 8601) are a preview's.
    """

    name: str
    owner: int
    branch: str
    buildpacks: tuple[str, ...]
    created: str
    current: int
    drain: int | None = None
    unchecked: tuple[str, ...] = ()
    parent: str = ""
    expires: str = ""
    maintenance: bool = False
    page: str = ""
    logged: bool = False
    shares: bool = False
    """Whether previews get the secret config vars too."""
    builder: str = ""
    """The builder image of Cloud Native Buildpacks, "" for none."""

    @property
    def closed(self) -> str:
        """What the router is told: "" for open, else which page a visitor gets."""
        return (self.name if self.page else ".") if self.maintenance else ""


class Apps:
    """The apps of this server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all: list[App] = []
        self._stamp: tuple[int, int] | None = None

    def create(self, name: str, owner: User) -> App:
        """Make an app. Raises Invalid, Conflict."""
        app_name(name)
        if self._store.row("SELECT 1 FROM apps WHERE name = ?", name):
            raise Conflict(f"There is already an app {name!r}.", "Choose another name.")
        self._store.insert("apps", {"name": name, "owner": owner.id, "created": now()})
        return self.get(name)

    def get(self, name: str) -> App:
        """An app by name. Raises NotFound."""
        row = self._store.row("SELECT * FROM apps WHERE name = ?", name)
        if not row:
            raise NotFound(
                f"There is no app {name[:60]!r}.",
                "See your apps: apps. Make one: apps:create NAME",
                reason="no such app",
            )
        return _app(row)

    def exists(self, name: str) -> bool:
        return self._store.row("SELECT 1 FROM apps WHERE name = ?", name) is not None

    def all(self) -> list[App]:
        """Every app, by name; read again only when something was written since."""
        stamp = self._store.stamp()
        if stamp is None or stamp != self._stamp:
            self._all = [_app(row) for row in self._store.rows("SELECT * FROM apps ORDER BY name")]
            self._stamp = stamp
        return list(self._all)

    def visible(self, user: User) -> list[App]:
        """The apps a user may see."""
        return [app for app in self.all() if self.may_use(app, user)]

    def role(self, app: App, user: User) -> Role | None:
        """What somebody may do with an app, None for nothing; a preview's roles are its parent's."""
        name = app.parent or app.name
        if user.only not in ("", name):
            return None
        if user.admin or app.owner == user.id:
            return user.most
        row = self._store.row("SELECT role FROM access WHERE app = ? AND user = ?", name, user.id)
        return min(Role(row["role"]), user.most) if row else None

    def may_use(self, app: App, user: User) -> bool:
        """Whether somebody may do anything with an app."""
        return self.role(app, user) is not None

    def people(self, app: App) -> list[Row]:
        """Who may use an app, and as what."""
        return self._store.rows(
            "SELECT users.name AS user, access.role AS role FROM access JOIN users ON users.id = access.user "
            "WHERE access.app = ? ORDER BY users.name",
            app.name,
        )

    def grant(self, app: App, user: User, role: Role) -> None:
        self._store.insert("access", {"app": app.name, "user": user.id, "role": int(role)}, replace=True)

    def revoke(self, app: App, user: User) -> None:
        self._store.write("DELETE FROM access WHERE app = ? AND user = ?", app.name, user.id)

    def set_branch(self, app: App, branch: str) -> None:
        self._store.write("UPDATE apps SET branch = ? WHERE name = ?", branch, app.name)

    def set_buildpacks(self, app: App, buildpacks: tuple[str, ...]) -> None:
        self._store.write("UPDATE apps SET buildpacks = ? WHERE name = ?", json.dumps(buildpacks), app.name)

    def set_builder(self, app: App, image: str) -> None:
        self._store.write("UPDATE apps SET builder = ? WHERE name = ?", image, app.name)

    # previews

    def create_preview(self, name: str, parent: App, *, branch: str) -> App:
        """The preview app of a branch, made with the parent's config vars unless it is there.

        Secret ones stay out, unless the parent shares them; in the preview they are secret then, too.
        """
        if not self.exists(name):
            record = {"name": name, "owner": parent.owner, "branch": branch, "created": now()}
            with self._store.transaction():
                self._store.insert(
                    "apps",
                    {
                        **record,
                        "parent": parent.name,
                        "buildpacks": json.dumps(parent.buildpacks),
                        "builder": parent.builder,
                    },
                )
                secrets = self.secrets(parent)
                hidden = frozenset() if parent.shares else secrets
                given = {key: value for key, value in self.config(parent).items() if key not in hidden}
                self.replace_config(self.get(name), given, secret=secrets & set(given))
        return self.get(name)

    def previews(self, parent: str) -> list[App]:
        rows = self._store.rows("SELECT * FROM apps WHERE parent = ? ORDER BY name", parent)
        return [_app(row) for row in rows]

    def set_shares(self, app: App, shares: bool) -> None:
        self._store.write("UPDATE apps SET shares = ? WHERE name = ?", int(shares), app.name)

    def expire(self, app: App, at: datetime) -> None:
        """Set when a preview goes."""
        self._store.write("UPDATE apps SET expires = ? WHERE name = ?", at.isoformat(), app.name)

    def expired(self, at: datetime) -> list[App]:
        """The previews whose time is over."""
        rows = self._store.rows("SELECT * FROM apps WHERE expires <> '' AND expires < ?", at.isoformat())
        return [_app(row) for row in rows]

    # domains and maintenance

    def hosts(self, app: App, domain: str) -> tuple[str, ...]:
        """The hostnames that lead to an app: its own below the server's domain, and those that were added."""
        return (f"{app.name}.{domain}", *self.domains(app))

    def domains(self, app: App) -> tuple[str, ...]:
        rows = self._store.rows("SELECT host FROM domains WHERE app = ? ORDER BY host", app.name)
        return tuple(row["host"] for row in rows)

    def domain_owner(self, host: str) -> str:
        """The app that a hostname was added to, "" for none."""
        row = self._store.row("SELECT app FROM domains WHERE host = ?", host)
        return str(row["app"]) if row else ""

    def add_domain(self, app: App, host: str) -> None:
        self._store.insert("domains", {"host": host, "app": app.name})

    def remove_domain(self, app: App, host: str) -> bool:
        """Take a hostname away; whether it was there."""
        return self._store.write("DELETE FROM domains WHERE app = ? AND host = ?", app.name, host) > 0

    def set_maintenance(self, app: App, on: bool, page: str) -> None:
        self._store.write("UPDATE apps SET maintenance = ?, page = ? WHERE name = ?", int(on), page, app.name)

    # settings

    def set_logged(self, app: App, logged: bool) -> None:
        """Whether the requests to an app are logged."""
        self._store.write("UPDATE apps SET logged = ? WHERE name = ?", int(logged), app.name)

    def set_stopped(self, app: App, formation: Mapping[str, int]) -> None:
        """Keep what ran before somebody stopped an app."""
        self._store.write("UPDATE apps SET stopped = ? WHERE name = ?", json.dumps(dict(formation)), app.name)

    def stopped(self, app: App) -> dict[str, int]:
        """What ran before somebody stopped the app; empty when nobody did."""
        row = self._store.row("SELECT stopped FROM apps WHERE name = ?", app.name)
        return dict(json.loads(row["stopped"])) if row else {}

    def rename(self, app: App, name: str) -> None:
        """Give an app another name, everywhere; its images are the same ones in the other name's repository."""
        with self._store.transaction():
            self._store.write("UPDATE apps SET name = ? WHERE name = ?", name, app.name)
            for table in ("releases", "builds"):
                self._store.write(
                    f"UPDATE {table} SET image = json_set(image, '$.repository', ?) "
                    "WHERE app = ? AND image <> '' AND json_extract(image, '$.repository') = ?",
                    name,
                    name,
                    app.name,
                )

    def transfer(self, app: App, owner: User) -> None:
        with self._store.transaction():
            self._store.write("UPDATE apps SET owner = ? WHERE name = ? OR parent = ?", owner.id, app.name, app.name)
            self._store.write("DELETE FROM access WHERE app = ? AND user = ?", app.name, owner.id)

    def set_drain(self, app: App, seconds: int | None) -> None:
        self._store.write("UPDATE apps SET drain = ? WHERE name = ?", seconds, app.name)

    def set_unchecked(self, app: App, processes: tuple[str, ...]) -> None:
        self._store.write("UPDATE apps SET unchecked = ? WHERE name = ?", json.dumps(processes), app.name)

    def delete(self, app: App) -> None:
        """Forget an app with everything that hangs on it."""
        self._store.write("DELETE FROM apps WHERE name = ?", app.name)

    # configuration

    def config(self, app: App) -> dict[str, str]:
        rows = self._store.rows("SELECT key, value FROM config WHERE app = ? ORDER BY key", app.name)
        return {row["key"]: row["value"] for row in rows}

    def replace_config(self, app: App, values: Mapping[str, str], *, secret: Iterable[str] = ()) -> None:
        """Make these the app's config vars, all at once. `secret` ones are marked so, beside those that were."""
        with self._store.transaction():
            hidden = self.secrets(app) | set(secret)
            self._store.write("DELETE FROM config WHERE app = ?", app.name)
            for key, value in values.items():
                record = {"app": app.name, "key": key, "value": value, "secret": int(key in hidden)}
                self._store.insert("config", record)

    def secrets(self, app: App) -> frozenset[str]:
        """The config vars that are marked secret: previews don't get them."""
        rows = self._store.rows("SELECT key FROM config WHERE app = ? AND secret", app.name)
        return frozenset(row["key"] for row in rows)

    def secret_values(self, app: App) -> list[str]:
        """The values, and each line of them, that no output may show."""
        rows = self._store.rows("SELECT value FROM config WHERE app = ? AND secret", app.name)
        return [line for row in rows for line in {row["value"], *row["value"].splitlines()}]

    # formation

    def formation(self, app: App) -> dict[str, int]:
        """How many of each process type were asked for; types never scaled are absent."""
        return {row["process"]: row["quantity"] for row in self._formation(app)}

    def limits(self, app: App) -> dict[str, Limits]:
        """Each process type's limits where they differ from the defaults."""
        default = Limits()
        return {
            row["process"]: Limits(
                memory=row["memory"] or default.memory, cpu=row["cpu"] or default.cpu, pids=row["pids"] or default.pids
            )
            for row in self._formation(app)
        }

    def scale(self, app: App, quantities: Mapping[str, int]) -> None:
        """Set how many of each process type should run."""
        with self._store.transaction():
            for process, quantity in quantities.items():
                self._store.write(
                    "INSERT INTO formation (app, process, quantity) VALUES (?, ?, ?) "
                    "ON CONFLICT (app, process) DO UPDATE SET quantity = excluded.quantity",
                    app.name,
                    process,
                    quantity,
                )

    def limit(self, app: App, process: str, limits: Limits, *, quantity: int) -> None:
        """Set a process type's limits; `quantity` is what it has when it was never scaled."""
        self._store.write(
            "INSERT INTO formation (app, process, quantity, memory, cpu, pids) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (app, process) DO UPDATE SET memory = excluded.memory, cpu = excluded.cpu, "
            "pids = excluded.pids",
            app.name,
            process,
            quantity,
            limits.memory,
            limits.cpu,
            limits.pids,
        )

    def _formation(self, app: App) -> list[Row]:
        return self._store.rows("SELECT * FROM formation WHERE app = ? ORDER BY process", app.name)


def _app(row: Row) -> App:
    return App(
        name=row["name"],
        owner=row["owner"],
        branch=row["branch"],
        buildpacks=tuple(json.loads(row["buildpacks"])),
        created=row["created"],
        current=row["current"],
        drain=row["drain"],
        unchecked=tuple(json.loads(row["unchecked"])),
        parent=row["parent"],
        expires=row["expires"],
        maintenance=bool(row["maintenance"]),
        page=row["page"],
        logged=bool(row["logged"]),
        shares=bool(row["shares"]),
        builder=row["builder"],
    )
