"""Every step from an empty database to today's; a step that has been released is never changed."""

from sqlite_utils import Database, Migrations

migrations = Migrations("mothership")

FIRST = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, admin INTEGER NOT NULL DEFAULT 0,
    creates INTEGER NOT NULL DEFAULT 1, created TEXT NOT NULL
);
CREATE TABLE keys (
    id INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    algorithm TEXT NOT NULL, data BLOB NOT NULL UNIQUE, fingerprint TEXT NOT NULL, comment TEXT NOT NULL,
    created TEXT NOT NULL, used TEXT
);
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, created TEXT NOT NULL, used TEXT
);
CREATE TABLE apps (
    name TEXT PRIMARY KEY, owner INTEGER NOT NULL REFERENCES users(id), branch TEXT NOT NULL DEFAULT 'main',
    buildpacks TEXT NOT NULL DEFAULT '[]', created TEXT NOT NULL, current INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE access (
    app TEXT NOT NULL REFERENCES apps(name) ON DELETE CASCADE ON UPDATE CASCADE,
    user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, PRIMARY KEY (app, user)
);
CREATE TABLE config (
    app TEXT NOT NULL REFERENCES apps(name) ON DELETE CASCADE ON UPDATE CASCADE,
    key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (app, key)
);
CREATE TABLE formation (
    app TEXT NOT NULL REFERENCES apps(name) ON DELETE CASCADE ON UPDATE CASCADE,
    process TEXT NOT NULL, quantity INTEGER NOT NULL, memory INTEGER, cpu REAL, pids INTEGER,
    PRIMARY KEY (app, process)
);
CREATE TABLE builds (
    id TEXT PRIMARY KEY, app TEXT NOT NULL REFERENCES apps(name) ON DELETE CASCADE ON UPDATE CASCADE,
    commit_id TEXT NOT NULL, user TEXT NOT NULL, status TEXT NOT NULL, image TEXT NOT NULL DEFAULT '',
    started TEXT NOT NULL, finished TEXT
);
CREATE INDEX builds_by_commit ON builds(app, commit_id, status);
CREATE TABLE releases (
    app TEXT NOT NULL REFERENCES apps(name) ON DELETE CASCADE ON UPDATE CASCADE, version INTEGER NOT NULL,
    status TEXT NOT NULL, image TEXT NOT NULL, config TEXT NOT NULL, formation TEXT NOT NULL, limits TEXT NOT NULL,
    commit_id TEXT NOT NULL, description TEXT NOT NULL, user TEXT NOT NULL, created TEXT NOT NULL,
    PRIMARY KEY (app, version)
);
"""


@migrations()
def m001_first(db: Database) -> None:
    for statement in FIRST.split(";"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m002_agreed_refs(db: Database) -> None:
    db.execute(
        "CREATE TABLE agreed_refs (app TEXT NOT NULL REFERENCES apps(name) ON DELETE CASCADE ON UPDATE CASCADE, "
        "ref TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY (app, ref))"
    )


@migrations()
def m003_deploys(db: Database) -> None:
    for statement in (
        "ALTER TABLE apps ADD COLUMN drain INTEGER",
        "ALTER TABLE apps ADD COLUMN unchecked TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE apps ADD COLUMN parent TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE apps ADD COLUMN expires TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE config ADD COLUMN secret INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE releases ADD COLUMN drain INTEGER NOT NULL DEFAULT 30",
        "ALTER TABLE agreed_refs ADD COLUMN moved INTEGER NOT NULL DEFAULT 0",
    ):
        db.execute(statement)


AUDIT = (
    "CREATE TABLE audit (id INTEGER PRIMARY KEY, at TEXT NOT NULL, user TEXT NOT NULL, remote TEXT NOT NULL, "
    "door TEXT NOT NULL, action TEXT NOT NULL, app TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL, "
    "seal TEXT NOT NULL)",
    "CREATE INDEX audit_by_app ON audit(app)",
    "CREATE TABLE audit_head (id INTEGER NOT NULL, seal TEXT NOT NULL)",
    f"INSERT INTO audit_head VALUES (0, '{'0' * 64}')",
    "CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END",
    "CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END",
)


@migrations()
def m004_people(db: Database) -> None:
    for statement in (
        "ALTER TABLE access ADD COLUMN role INTEGER NOT NULL DEFAULT 3",
        *(
            f"ALTER TABLE {table} ADD COLUMN {column}"
            for table in ("keys", "tokens")
            for column in (
                "most INTEGER NOT NULL DEFAULT 4",
                "scope TEXT NOT NULL DEFAULT ''",
                "expires TEXT NOT NULL DEFAULT ''",
            )
        ),
        *AUDIT,
    ):
        db.execute(statement)


@migrations()
def m005_domains(db: Database) -> None:
    for statement in (
        "CREATE TABLE domains (host TEXT PRIMARY KEY, app TEXT NOT NULL REFERENCES apps(name) "
        "ON DELETE CASCADE ON UPDATE CASCADE)",
        "ALTER TABLE apps ADD COLUMN maintenance INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE apps ADD COLUMN page TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE apps ADD COLUMN stopped TEXT NOT NULL DEFAULT '{}'",
    ):
        db.execute(statement)


@migrations()
def m010_drains(db: Database) -> None:
    db.execute(
        "CREATE TABLE drains (id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL REFERENCES apps(name) "
        "ON DELETE CASCADE ON UPDATE CASCADE, url TEXT NOT NULL, created TEXT NOT NULL)"
    )


@migrations()
def m011_request_logs(db: Database) -> None:
    db.execute("ALTER TABLE apps ADD COLUMN logged INTEGER NOT NULL DEFAULT 0")


@migrations()
def m012_preview_secrets(db: Database) -> None:
    db.execute("ALTER TABLE apps ADD COLUMN shares INTEGER NOT NULL DEFAULT 0")


@migrations()
def m013_drains_anywhere(db: Database) -> None:
    db.execute("ALTER TABLE drains ADD COLUMN anywhere INTEGER NOT NULL DEFAULT 0")


@migrations()
def m014_builder(db: Database) -> None:
    db.execute("ALTER TABLE apps ADD COLUMN builder TEXT NOT NULL DEFAULT ''")


@migrations()
def m020_other_doors(db: Database) -> None:
    """What is deployed without a push: where a build's source came from, webhooks, and the credentials for both."""
    app = "app TEXT NOT NULL REFERENCES apps(name) ON DELETE CASCADE ON UPDATE CASCADE"
    for statement in (
        "ALTER TABLE builds ADD COLUMN source TEXT NOT NULL DEFAULT ''",
        f"CREATE TABLE webhooks (id INTEGER PRIMARY KEY AUTOINCREMENT, {app}, slug TEXT NOT NULL UNIQUE, "
        "user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, url TEXT NOT NULL, branch TEXT NOT NULL, "
        "provider TEXT NOT NULL, api TEXT NOT NULL, secret TEXT NOT NULL, token TEXT NOT NULL, created TEXT NOT NULL)",
        "CREATE TABLE deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "webhook INTEGER NOT NULL REFERENCES webhooks(id) ON DELETE CASCADE, key TEXT NOT NULL, digest TEXT NOT NULL, "
        "event TEXT NOT NULL, commit_id TEXT NOT NULL, build TEXT NOT NULL, outcome TEXT NOT NULL, at TEXT NOT NULL, "
        "UNIQUE (webhook, key))",
        f"CREATE TABLE deploy_keys ({app}, private TEXT NOT NULL, public TEXT NOT NULL, hosts TEXT NOT NULL, "
        "PRIMARY KEY (app))",
        f"CREATE TABLE registries ({app}, host TEXT NOT NULL, user TEXT NOT NULL, password TEXT NOT NULL, "
        "PRIMARY KEY (app, host))",
    ):
        db.execute(statement)
