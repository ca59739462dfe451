"""The first admin: the person who ran scripts/up, by the SSH key they already have."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mothership.config import Settings
from mothership.errors import NotFound
from mothership.store import Accounts, Store
from mothership.store.accounts import parse_key

PUBLIC = ("id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub")


@dataclass(frozen=True)
class Person:
    """Who ran the command: the user behind sudo, if any."""

    name: str
    home: Path
    uid: int
    gid: int


def person() -> Person:
    """The person at the keyboard."""
    found = pwd.getpwnam(os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name)
    return Person(found.pw_name, Path(found.pw_dir), found.pw_uid, found.pw_gid)


def public_key(who: Person) -> Path:
    """Their public key; they get one when they have none."""
    folder = who.home / ".ssh"
    for name in PUBLIC:
        if (folder / name).is_file():
            return folder / name
    folder.mkdir(mode=0o700, exist_ok=True)
    key = folder / "id_ed25519"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{who.name}@mothership", "-f", str(key)]
    subprocess.run(argv, check=True)
    for path in (folder, key, key.with_suffix(".pub")):
        os.chown(path, who.uid, who.gid)
    return key.with_suffix(".pub")


def let_in(settings: Settings, who: Person) -> Path:
    """Make the person an admin with their key; one who is in already stays as they are. Returns the public key."""
    path = public_key(who)
    line = path.read_text()
    store = Store(settings.data)
    accounts = Accounts(store)
    try:
        try:
            user = accounts.user(who.name)
        except NotFound:
            user = accounts.add_user(who.name, admin=True)
        if parse_key(line).fingerprint not in {row["fingerprint"] for row in accounts.keys(user)}:
            accounts.add_key(user, line)
    finally:
        store.close()
    return path
