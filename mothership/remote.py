"""The user's side: which server and which app a clone talks to, read from its git remotes."""

import re
import subprocess
from dataclasses import dataclass
from urllib.parse import urlsplit

from mothership.errors import NotFound

SCP = re.compile(r"(?:(?P<user>[^@/]+)@)?(?P<host>[^:/]+):(?P<path>.+)")


@dataclass(frozen=True)
class Remote:
    """Where a git remote leads: a host, its SSH port (0: the client's default) and the app."""

    host: str
    port: int
    user: str
    app: str

    def ssh(self, *, terminal: bool) -> list[str]:
        """The ssh command line up to the remote command, for the user's own client and configuration (ssh(1))."""
        argv = ["ssh", "-t" if terminal else "-T"]
        if self.port:
            argv += ["-p", str(self.port)]
        return [*argv, "--", f"{self.user}@{self.host}" if self.user else self.host]


def parse(url: str) -> Remote | None:
    """Parse an ssh:// or scp-like URL (git-clone(1), "GIT URLS"); None for any other."""
    if url.startswith("ssh://"):
        parts = urlsplit(url)
        if not parts.hostname:
            return None
        return Remote(parts.hostname, parts.port or 0, parts.username or "", _app(parts.path))
    match = SCP.fullmatch(url)
    if match and "://" not in url:
        return Remote(match["host"], 0, match["user"] or "", _app(match["path"]))
    return None


def find(name: str) -> Remote:
    """The remote of that name in the current clone. Raises NotFound with what to do."""
    try:
        answer = subprocess.run(["git", "remote", "get-url", "--", name], capture_output=True, text=True, check=False)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound("There is no git on this machine.", "Install it first.") from error
    if answer.returncode:
        raise NotFound(
            f"This folder has no git remote {name!r}.",
            f"Add it: git remote add {name} ssh://mothership@HOST:2222/APP (or mothership init HOST)",
        )
    remote = parse(answer.stdout.strip())
    if remote is None:
        raise NotFound(
            f"The remote {name!r} is not an SSH address: {_hidden(answer.stdout.strip())}",
            f"Commands need SSH: git remote set-url {name} ssh://mothership@HOST:2222/APP",
        )
    return remote


def _app(path: str) -> str:
    return path.strip("/").removesuffix(".git")


def _hidden(url: str) -> str:
    """The URL without a password in it."""
    return re.sub(r"//[^@/]*@", "//", url)
