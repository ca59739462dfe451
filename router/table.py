"""The routing table as plain data: hostname → slot → servers, and the CLI lines of each change."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mothership.errors import Conflict, Invalid

HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
WEIGHT = 100
CHECK = (
    "check inter 2s fastinter 100ms downinter 100ms rise 1 fall 3 "
    "observe layer4 error-limit 2 on-error mark-down pool-max-conn 200 pool-purge-delay 5s"
)
"""How a server is probed: quickly until it answers, every two seconds from then on."""


@dataclass(frozen=True)
class Target:
    """A task to route to. `id` is the Swarm task's."""

    id: str
    address: str
    port: int


@dataclass(frozen=True)
class Server:
    """A target as the proxy has it. `sessions` are the requests and tunnels it carries now."""

    id: str
    address: str
    port: int
    up: bool = False
    draining: bool = False
    weight: int = 0
    sessions: int = 0
    last_check: str = ""


@dataclass(frozen=True)
class Slot:
    """A backend of the proxy and the app that has it.

    `closed` is "" while the app takes requests; in maintenance "." for the proxy's page, the app's name for its own.
    `logged` says that its requests are logged.
    """

    name: str
    app: str
    hosts: tuple[str, ...] = ()
    servers: Mapping[str, Server] = field(default_factory=dict)
    closed: str = ""
    logged: bool = False

    @property
    def address(self) -> str:
        """A hostname that leads here, for requests of our own."""
        return next((host for host in self.hosts if not host.startswith("*")), self.app)


@dataclass(frozen=True)
class Table:
    """All slots in use, by app; `size` slots are provisioned in the proxy."""

    size: int
    slots: Mapping[str, Slot] = field(default_factory=dict)

    def owner(self, host: str) -> str:
        """The app a hostname leads to, "" for none."""
        return next((slot.app for slot in self.slots.values() if host in slot.hosts), "")

    def hosts(self) -> dict[str, str]:
        """hostname → slot name."""
        return {host: slot.name for slot in self.slots.values() for host in slot.hosts}

    def closed(self) -> dict[str, str]:
        """slot name → which page, for the apps in maintenance."""
        return {slot.name: slot.closed for slot in self.slots.values() if slot.closed}

    def with_closed(self, app: str, closed: str) -> "Table":
        """The same table with the app in maintenance, or out of it."""
        table = self.with_slot(app)
        return Table(table.size, {**table.slots, app: replace(table.slots[app], closed=closed)})

    def logged(self) -> dict[str, str]:
        """slot name → app, for the apps whose requests are logged."""
        return {slot.name: slot.app for slot in self.slots.values() if slot.logged}

    def with_logged(self, app: str, logged: bool) -> "Table":
        """The same table with the app's requests logged, or not."""
        table = self.with_slot(app)
        return Table(table.size, {**table.slots, app: replace(table.slots[app], logged=logged)})

    def with_slot(self, app: str) -> "Table":
        """The same table with a slot for the app, doubled when all are taken."""
        if app in self.slots:
            return self
        taken = {slot.name for slot in self.slots.values()}
        size = self.size if len(taken) < self.size else self.size * 2
        name = next(name for number in range(1, size + 1) if (name := slot_name(number)) not in taken)
        return Table(size, {**self.slots, app: Slot(name, app)})

    def with_hosts(self, app: str, hosts: Iterable[str]) -> "Table":
        """The same table with exactly these hostnames for the app. Raises Invalid, Conflict."""
        wanted = tuple(sorted({checked_host(host) for host in hosts}))
        for host in wanted:
            if self.owner(host) not in ("", app):
                raise Conflict(f"{host} leads to another app already.")
        table = self.with_slot(app)
        return Table(table.size, {**table.slots, app: replace(table.slots[app], hosts=wanted)})

    def with_servers(self, app: str, servers: Mapping[str, Server]) -> "Table":
        """The same table with exactly these servers for the app."""
        table = self.with_slot(app)
        return Table(table.size, {**table.slots, app: replace(table.slots[app], servers=dict(servers))})

    def renamed(self, app: str, name: str) -> "Table":
        """The same table with the app's slot under another name."""
        if app not in self.slots:
            return self
        slots = {key: slot for key, slot in self.slots.items() if key != app}
        return Table(self.size, {**slots, name: replace(self.slots[app], app=name)})

    def without(self, app: str) -> "Table":
        return Table(self.size, {name: slot for name, slot in self.slots.items() if name != app})


def slot_name(number: int) -> str:
    return f"slot{number:05}"


def checked_host(host: str) -> str:
    """A hostname in its lookup form: lowercase, no trailing dot (RFC 1123, section 2.1). Raises Invalid.

    `*.example.com` stands for every name one label below.
    """
    name = host.lower().rstrip(".")
    if len(name) > 253 or not HOST.fullmatch(name):
        raise Invalid(f"{host[:80]!r} is not a hostname.")
    return name


def checked_target(target: Target) -> Target:
    """A target whose parts can't break a CLI line. Raises Invalid."""
    if not IDENTIFIER.fullmatch(target.id) or not re.fullmatch(r"[0-9a-fA-F.:]+", target.address):
        raise Invalid(f"{target.id[:80]!r} at {target.address[:80]!r} is not a target.")
    return target


def add_lines(slot: Slot, server: Server) -> list[str]:
    """Add a server that is DOWN until its first probe passes."""
    name = f"{slot.name}/{server.id}"
    return [
        f"add server {name} {server.address}:{server.port} weight {server.weight} {CHECK}",
        f"set server {name} state ready",
        f"set server {name} health down",
        f"enable health {name}",
    ]


def switch_lines(slot: Slot, ids: Iterable[str]) -> list[str]:
    """All traffic to these servers, none that is new to the others."""
    chosen = set(ids)
    on = [line for id in sorted(chosen) for line in activate_lines(slot, id)]
    return on + [f"set server {slot.name}/{id} state drain" for id in sorted(slot.servers) if id not in chosen]


def activate_lines(slot: Slot, id: str) -> list[str]:
    return [f"set server {slot.name}/{id} state ready", f"set server {slot.name}/{id} weight {WEIGHT}"]


def map_lines(path: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The changes of a map from one state to another."""
    gone = [f"del map {path} {host}" for host in sorted(before) if host not in after]
    new = [f"add map {path} {host} {slot}" for host, slot in sorted(after.items()) if host not in before]
    moved = [f"set map {path} {host} {slot}" for host, slot in sorted(after.items()) if before.get(host, slot) != slot]
    return gone + new + moved


def dump(table: Table) -> dict[str, Any]:
    """The table as JSON, without what only the proxy knows."""
    return {
        "size": table.size,
        "slots": [
            {
                "name": slot.name,
                "app": slot.app,
                "hosts": list(slot.hosts),
                "closed": slot.closed,
                "logged": slot.logged,
                "servers": [
                    {"id": s.id, "address": s.address, "port": s.port, "weight": s.weight, "draining": s.draining}
                    for s in slot.servers.values()
                ],
            }
            for slot in table.slots.values()
        ],
    }


def load(data: Mapping[str, Any]) -> Table:
    slots = {
        entry["app"]: Slot(
            entry["name"],
            entry["app"],
            tuple(entry["hosts"]),
            {s["id"]: Server(**s) for s in entry["servers"]},
            entry.get("closed", ""),
            entry.get("logged", False),
        )
        for entry in data["slots"]
    }
    return Table(data["size"], slots)
