"""Users, their SSH keys and their access tokens."""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from mothership.errors import Conflict, Invalid, NotFound
from mothership.model import Role, User
from mothership.store.audit import Audit, Entry
from mothership.store.database import Row, Store, now

USER_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}", re.IGNORECASE)
QUIET = 60.0
"""Seconds in which an address's further refused logins are not recorded."""

STRANGERS = 100
"""Addresses whose refused logins are recorded within that time, at most."""

MINUTE = len("2026-01-01T00:00")
TOKEN_PREFIX = "mst_"
KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-", "sk-ssh-ed25519@", "sk-ecdsa-sha2-", "ssh-rsa")


@dataclass(frozen=True)
class Key:
    """An SSH public key as it stands in an authorized_keys line (sshd(8))."""

    algorithm: str
    data: bytes
    comment: str

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as ssh-keygen -l prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.data).digest()).decode().rstrip("=")


def parse_key(line: str) -> Key:
    """Parse one public key line. Raises Invalid."""
    hint = "Pass the one line of a public key file, such as ~/.ssh/id_ed25519.pub"
    parts = line.strip().split(None, 2)
    if "PRIVATE KEY" in line:
        raise Invalid("That is a private key; keep it to yourself.", hint)
    if len(parts) < 2 or not parts[0].startswith(KEY_TYPES):
        raise Invalid("That is not an SSH public key.", hint)
    try:
        data = base64.b64decode(parts[1], validate=True)
    except ValueError as error:  # damaged, or not even ASCII
        raise Invalid("That SSH public key is damaged.", hint) from error
    if data[4 : 4 + int.from_bytes(data[:4], "big")] != parts[0].encode():
        raise Invalid("That SSH public key is damaged.", hint)
    comment = "".join(c for c in (parts[2] if len(parts) > 2 else "") if c.isprintable())[:100]
    return Key(parts[0], data, comment)


@dataclass(frozen=True)
class Grant:
    """What a key or token is good for: at most a role, one app ("" for all), until a time ("" for ever, ISO 8601)."""

    most: Role = Role.OWNER
    only: str = ""
    expires: str = ""

    def columns(self) -> Row:
        return {"most": int(self.most), "scope": self.only, "expires": self.expires}


class Accounts:
    """Who may come in. It is what the doors ask (`mothership.doors.Accounts`)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: list[Callable[[str], None]] = []
        self._audit = Audit(store)
        self._turned_away: dict[str, float] = {}

    async def user_for_key(self, algorithm: str, data: bytes) -> User | None:
        """The owner of an SSH public key by its binary form, None for a stranger."""
        return self._known("keys", "data", data)

    async def user_for_token(self, token: str) -> User | None:
        """The owner of an access token, None for a stranger."""
        return self._known("tokens", "hash", token_mark(token))

    def on_revoked(self, listener: Callable[[str], None]) -> None:
        """Have a listener called with the mark of every key and token that is taken away: its sessions must end."""
        self._listeners.append(listener)

    def turned_away(self, remote: str, door: str, what: str) -> None:
        """Record who was not let in; once a minute from one address, so that nobody can fill the trail."""
        at = time.monotonic()
        self._turned_away = {who: when for who, when in self._turned_away.items() if at - when < QUIET}
        if remote not in self._turned_away and len(self._turned_away) < STRANGERS:
            self._turned_away[remote] = at
            self._audit.record(Entry("", remote, door, "login", detail=what, outcome="refused: nobody's"))

    def _known(self, table: str, column: str, value: object) -> User | None:
        row = self._store.row(
            f"SELECT users.*, credential.id AS credential, most, scope, expires, used FROM {table} AS credential "
            f"JOIN users ON users.id = credential.user WHERE credential.{column} = ?",
            value,
        )
        if row is None or (row["expires"] and row["expires"] < now()):
            return None
        if (row["used"] or "")[:MINUTE] != now()[:MINUTE]:  # an API's client comes hundreds of times a second
            self._store.write(f"UPDATE {table} SET used = ? WHERE id = ?", now(), row["credential"])
        most = Role(row["most"])
        admin = bool(row["admin"]) and most is Role.OWNER and not row["scope"]
        return User(row["id"], row["name"], admin, most, row["scope"])

    def _revoked(self, marks: Iterable[str]) -> None:
        for mark in marks:
            for listener in self._listeners:
                listener(mark)

    def user(self, name: str) -> User:
        """A user by name. Raises NotFound."""
        found = _user(self._store.row("SELECT * FROM users WHERE name = ?", name))
        if not found:
            raise NotFound(f"There is no user {name[:64]!r}.", "See who there is: users")
        return found

    def users(self) -> list[Row]:
        return self._store.rows(
            "SELECT users.name, users.admin, users.creates, COUNT(keys.id) AS keys FROM users "
            "LEFT JOIN keys ON keys.user = users.id GROUP BY users.id ORDER BY users.name"
        )

    def name(self, user: int) -> str:
        """A user's name by id."""
        row = self._store.row("SELECT name FROM users WHERE id = ?", user)
        return str(row["name"]) if row else ""

    def remove_user(self, user: User) -> None:
        """Take a user away with all keys and tokens. Raises Conflict while they own apps."""
        owned = [row["name"] for row in self._store.rows("SELECT name FROM apps WHERE owner = ?", user.id)]
        if owned:
            raise Conflict(
                f"{user.name} owns {', '.join(owned[:5])}.", "Destroy them, or give them to somebody else first."
            )
        marks = [row["fingerprint"] for row in self.keys(user)]
        marks += [row["hash"] for row in self._store.rows("SELECT hash FROM tokens WHERE user = ?", user.id)]
        self._store.write("DELETE FROM users WHERE id = ?", user.id)
        self._revoked(marks)

    def may_create(self, user: User) -> bool:
        if user.limited:
            return False
        row = self._store.row("SELECT creates FROM users WHERE id = ?", user.id)
        return user.admin or bool(row and row["creates"])

    def add_user(self, name: str, *, admin: bool = False, creates: bool = True) -> User:
        """Make a user. Raises Invalid, Conflict."""
        if not USER_NAME.fullmatch(name):
            raise Invalid(f"{name[:64]!r} is not a user name.", "Use letters, digits, dots and dashes, up to 64.")
        if self._store.row("SELECT 1 FROM users WHERE name = ?", name):
            raise Conflict(f"There is already a user {name!r}.")
        record = {"name": name, "admin": int(admin), "creates": int(creates), "created": now()}
        return User(self._store.insert("users", record), name, admin)

    def all_or_nothing(self) -> AbstractContextManager[None]:
        """Several changes at once, or none of them."""
        return self._store.transaction()

    def keys(self, user: User) -> list[Row]:
        return self._store.rows(
            "SELECT fingerprint, algorithm, comment, created, used, most, scope, expires FROM keys WHERE user = ? "
            "ORDER BY id",
            user.id,
        )

    def add_key(self, user: User, line: str, grant: Grant = Grant()) -> Key:
        """Give a user an SSH key. Raises Invalid, Conflict."""
        key = parse_key(line)
        owner = self._store.row("SELECT user FROM keys WHERE data = ?", key.data)
        if owner:
            whose = "already yours" if owner["user"] == user.id else "another user's"
            raise Conflict(f"The key {key.fingerprint} is {whose}.")
        self._store.insert(
            "keys",
            {
                "user": user.id,
                "algorithm": key.algorithm,
                "data": key.data,
                "fingerprint": key.fingerprint,
                "comment": key.comment,
                "created": now(),
                **grant.columns(),
            },
        )
        return key

    def remove_key(self, user: User, fingerprint: str) -> None:
        """Take a key away. Raises NotFound."""
        if not self._store.write("DELETE FROM keys WHERE user = ? AND fingerprint = ?", user.id, fingerprint):
            raise NotFound(f"You have no key {fingerprint[:80]!r}.", "See your keys: keys")
        self._revoked([fingerprint])

    def tokens(self, user: User) -> list[Row]:
        return self._store.rows(
            "SELECT name, created, used, most, scope, expires FROM tokens WHERE user = ? ORDER BY id", user.id
        )

    def create_token(self, user: User, name: str, grant: Grant = Grant()) -> str:
        """Make an access token; it is shown this once and kept as a hash. Raises Invalid, Conflict."""
        if not USER_NAME.fullmatch(name):
            raise Invalid(f"{name[:64]!r} is not a token name.", "Use letters, digits, dots and dashes, up to 64.")
        if self._store.row("SELECT 1 FROM tokens WHERE user = ? AND name = ?", user.id, name):
            raise Conflict(f"You already have a token named {name!r}.", f"Revoke it first: tokens:revoke {name}")
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        record = {"user": user.id, "name": name, "hash": token_mark(token), "created": now(), **grant.columns()}
        self._store.insert("tokens", record)
        return token

    def revoke_token(self, user: User, name: str) -> None:
        """Take a token away. Raises NotFound."""
        row = self._store.row("SELECT hash FROM tokens WHERE user = ? AND name = ?", user.id, name)
        if row is None:
            raise NotFound(f"You have no token named {name[:64]!r}.", "See your tokens: tokens")
        self._store.write("DELETE FROM tokens WHERE hash = ?", row["hash"])
        self._revoked([row["hash"]])


def token_mark(token: str) -> str:
    """What is kept of a token, and what it is called when it is revoked."""
    return hashlib.sha256(token.encode()).hexdigest()


def _user(row: Row | None) -> User | None:
    return User(row["id"], row["name"], bool(row["admin"])) if row else None
