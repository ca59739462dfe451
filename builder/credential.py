"""The password that the image registry asks for: known to the daemon and the engine, never to a build or an app.

Without one, everything that may name an image to the engine (a Dockerfile's FROM, say) could read any app's.
"""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

import bcrypt

USER = "mothership"
ROUNDS = 4
"""Few: the password is random and long, and the registry checks it at every request."""


@dataclass(frozen=True)
class Credential:
    """A user and a password, as a registry takes them."""

    user: str
    password: str = field(repr=False)


def credential(data: Path) -> Credential:
    """The registry's credential, made the first time; its hash beside it (Apache, "Password Formats": bcrypt)."""
    path = data / "registry.password"
    if not path.exists():
        _write(path, secrets.token_urlsafe(32))
    password = path.read_text()
    hashed = htpasswd(data)
    if not hashed.exists() or not _fits(password, hashed.read_text()):
        made = bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS, prefix=b"2b")).decode()
        _write(hashed, f"{USER}:{made}\n")
    return Credential(USER, password)


def htpasswd(data: Path) -> Path:
    """Where the hash is kept for the registry."""
    return data / "registry.htpasswd"


def _fits(password: str, line: str) -> bool:
    try:
        return bcrypt.checkpw(password.encode(), line.strip().partition(":")[2].encode())
    except ValueError:
        return False


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    scratch.rename(path)
