"""Health checks as an app declares them in app.json, per process type (the fields are Dokku's "healthchecks")."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["startup", "readiness", "liveness"]
KINDS: tuple[Kind, ...] = ("startup", "readiness", "liveness")


@dataclass(frozen=True)
class Check:
    """One check. Times in seconds.

    It asks for `path` over HTTP, or runs `command` in the container, or only wants the process to have been up for
    `uptime` (-1: none of its own). `attempts` failures in a row, `wait` apart, make it failed; the first look comes
    after `initial_delay`. `port` 0 is the process's own $PORT. With `warn`, a failed startup check is said and
    nothing more.
    """

    kind: Kind = "startup"
    name: str = ""
    path: str = ""
    port: int = 0
    command: tuple[str, ...] = ()
    content: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    attempts: int = 3
    timeout: int = 5
    wait: int = 5
    initial_delay: int = 0
    uptime: int = -1
    warn: bool = False

    @property
    def title(self) -> str:
        """How the check is called in messages."""
        what = " ".join(self.command) or (f"GET {self.path}" if self.path else f"up for {self.uptime} s")
        return self.name or f"{self.kind} check ({what})"


Checks = Mapping[str, tuple[Check, ...]]
"""Process type → its checks."""


def of_kind(checks: Checks, process: str, kind: Kind) -> tuple[Check, ...]:
    return tuple(check for check in checks.get(process, ()) if check.kind == kind)


def load(values: Mapping[str, Any]) -> dict[str, tuple[Check, ...]]:
    """Checks from their JSON form, as `dataclasses.asdict` makes it."""
    return {process: tuple(_check(each) for each in found) for process, found in values.items()}


def _check(values: Mapping[str, Any]) -> Check:
    headers = tuple((name, value) for name, value in values["headers"])
    return Check(**{**values, "command": tuple(values["command"]), "headers": headers})
