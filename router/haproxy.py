"""The driver: every change goes to the running proxy at once, and to its files for the next start."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import MothershipError, ProxyUnavailable
from mothership.log import logger
from router import container, probe
from router.files import Files
from router.render import CLOSED, HOSTS, LOGGED
from router.runtime import Row, Runtime
from router.table import (
    WEIGHT,
    Server,
    Slot,
    Table,
    Target,
    activate_lines,
    add_lines,
    checked_target,
    map_lines,
    switch_lines,
)

log = logger()
PACE = 0.02


class Router:
    """Keeps HAProxy equal to a table. Raises ProxyUnavailable when the proxy doesn't answer."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._directory = settings.data / "proxy"
        self._runtime = Runtime(self._directory)
        self._table = Table(settings.slots)
        self._lock = asyncio.Lock()
        self._files = Files(settings, self._directory)

    async def start(self) -> None:
        """Load the saved table, write the proxy's files and make it run."""
        (self._settings.data / "run").mkdir(parents=True, exist_ok=True)
        self._files.pages()
        self._table = self._files.load()
        outdated = self._files.outdated(self._table)
        self._files.write(self._table)
        await self.ensure()
        if outdated:
            async with self._lock:
                await self._reload()

    async def ensure(self) -> None:
        """Make a missing or stopped proxy run, and put right what it has otherwise than the table says."""
        async with self._lock:
            if await container.ensure(self._settings, self._engine, self._directory):
                log.info("proxy started")
            await self._answering()
            await self._repair()

    async def close(self) -> None:
        """Write what is still to be written; the proxy runs on."""
        await self._files.close()

    async def set_hosts(self, app: str, hosts: tuple[str, ...]) -> None:
        """Lead exactly these hostnames to the app. Raises Invalid, Conflict."""
        async with self._lock:
            before = self._table
            after = before.with_hosts(app, hosts)
            if after == before:
                return
            self._table = after
            if after.size != before.size:
                await self._grow()
            await self._runtime.run_all(map_lines(HOSTS, before.hosts(), after.hosts()))
            self._files.save(self._table)

    async def set_closed(self, app: str, closed: str) -> None:
        """Put an app in maintenance (".", or its name for a page of its own), or with "" out of it."""
        async with self._lock:
            before = self._table
            after = before.with_closed(app, closed)
            if after == before:
                return
            self._table = after
            await self._runtime.run_all(map_lines(CLOSED, before.closed(), after.closed()))
            self._files.save(self._table)

    async def set_logged(self, app: str, logged: bool) -> None:
        """Have an app's requests logged, or not."""
        async with self._lock:
            before = self._table
            after = before.with_logged(app, logged)
            if after == before:
                return
            self._table = after
            await self._runtime.run_all(map_lines(LOGGED, before.logged(), after.logged()))
            self._files.save(self._table)

    def app_of(self, slot: str) -> str:
        """The app that has a slot, "" for none."""
        return next((app for app, each in self._table.slots.items() if each.name == slot), "")

    async def add(self, app: str, targets: tuple[Target, ...]) -> None:
        """Add servers without traffic, probed until they answer."""
        async with self._lock:
            if app not in self._table.slots:
                self._table = self._table.with_slot(app)
            slot = self._table.slots[app]
            fresh = [checked_target(target) for target in targets if target.id not in slot.servers]
            servers = {target.id: Server(target.id, target.address, target.port) for target in fresh}
            for server in servers.values():
                await self._told(*add_lines(slot, server))
            self._keep(app, {**slot.servers, **servers})

    async def servers(self, app: str) -> tuple[Server, ...]:
        """The app's servers as the proxy has them now."""
        slot = self._table.slots.get(app)
        if slot is None or not slot.servers:
            return ()
        rows = {row.name: row for row in await self._runtime.stat(slot.name)}
        return tuple(_seen(server, rows.get(server.id)) for server in slot.servers.values())

    async def wait_up(self, app: str, ids: Iterable[str], *, timeout: float) -> None:
        """Return when all of these answer their probes. Raises TimeoutError. Seconds."""
        wanted = set(ids)
        deadline = asyncio.get_running_loop().time() + timeout
        while not wanted <= {server.id for server in await self.servers(app) if server.up}:
            if asyncio.get_running_loop().time() >= deadline:
                raise TimeoutError(f"{app}: not all of {sorted(wanted)} answer")
            await asyncio.sleep(PACE)

    async def answers(self, app: str, id: str) -> probe.Reply:
        """What the server answers to one HTTP request of ours; it waits for as long as it takes."""
        slot = self._slot(app)
        server = slot.servers[id]
        target = Target(server.id, server.address, server.port)
        return await probe.answers(self._directory / "probe.sock", target, slot.address, self._settings.scheme)

    async def ask(
        self, app: str, target: Target, path: str, headers: Iterable[tuple[str, str]], *, timeout: float
    ) -> probe.Reply:
        """What a task answers to one request of ours. Raises ConnectionError, TimeoutError. Seconds."""
        host = self._slot(app).address
        socket = self._directory / "probe.sock"
        return await probe.ask(
            socket,
            checked_target(target),
            host,
            path=path,
            headers=headers,
            timeout=timeout,
            scheme=self._settings.scheme,
        )

    async def switch(self, app: str, ids: Iterable[str]) -> None:
        """All new traffic to these servers and none to the app's others, in one step."""
        chosen = set(ids)
        async with self._lock:
            slot = self._slot(app)
            await self._told(*switch_lines(slot, chosen & set(slot.servers)))
            self._keep(app, {id: _switched(server, on=id in chosen) for id, server in slot.servers.items()})

    async def activate(self, app: str, ids: Iterable[str]) -> None:
        """Give these servers traffic beside the others."""
        async with self._lock:
            slot = self._slot(app)
            chosen = [id for id in ids if id in slot.servers]
            await self._told(*(line for id in chosen for line in activate_lines(slot, id)))
            self._keep(app, {**slot.servers, **{id: _switched(slot.servers[id], on=True) for id in chosen}})

    async def drain(self, app: str, ids: Iterable[str]) -> None:
        """Give these servers no new traffic; what they carry goes on."""
        async with self._lock:
            slot = self._slot(app)
            chosen = [id for id in ids if id in slot.servers]
            await self._told(*(f"set server {slot.name}/{id} state drain" for id in chosen))
            self._keep(app, {**slot.servers, **{id: _switched(slot.servers[id], on=False) for id in chosen}})

    async def drained(self, app: str, ids: Iterable[str], *, timeout: float) -> bool:
        """Wait until these servers carry nothing, or the time is over; whether they got empty. Seconds."""
        waited = set(ids)
        deadline = asyncio.get_running_loop().time() + timeout
        while any(server.sessions for server in await self.servers(app) if server.id in waited):
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(0.1)
        return True

    async def remove(self, app: str, ids: Iterable[str]) -> None:
        """Take these servers out, with what they still carry; unknown ones are fine."""
        async with self._lock:
            slot = self._slot(app)
            for id in [id for id in ids if id in slot.servers]:
                await self._delete(f"{slot.name}/{id}")
                slot = replace(slot, servers={k: v for k, v in slot.servers.items() if k != id})
            self._keep(app, slot.servers)

    async def rename(self, app: str, name: str) -> None:
        """The app's slot is another app's from now on, with all that is in it; the proxy itself sees no change."""
        async with self._lock:
            self._table = self._table.renamed(app, name)
            self._files.save(self._table)

    async def forget(self, app: str) -> None:
        """Take an app's hostnames, servers and slot away."""
        await self.remove(app, tuple(self._slot(app).servers))
        await self.set_hosts(app, ())
        await self.set_closed(app, "")
        await self.set_logged(app, False)
        async with self._lock:
            self._table = self._table.without(app)
            self._files.save(self._table)

    async def differences(self) -> list[str]:
        """How the running proxy differs from the table, in words; empty when it doesn't."""
        rows = await self._runtime.stat()
        have = {(row.backend, row.name) for row in rows if row.backend.startswith("slot")}
        want = {(slot.name, id) for slot in self._table.slots.values() for id in slot.servers}
        return [f"{backend}/{name} is missing" for backend, name in sorted(want - have)] + [
            f"{backend}/{name} should not be there" for backend, name in sorted(have - want)
        ]

    # the proxy

    async def _answering(self) -> None:
        for _ in range(250):
            with contextlib.suppress(ProxyUnavailable):
                await self._runtime.run("show version")
                return
            await asyncio.sleep(PACE)
        raise ProxyUnavailable("The proxy was started and does not answer.", await self._last_words())

    async def _last_words(self) -> str:
        try:
            return "\n".join(await self._engine.logs(container.name(self._settings), tail=5))
        except MothershipError as error:
            return error.message

    async def _repair(self) -> None:
        rows = {(row.backend, row.name): row for row in await self._runtime.stat() if row.backend.startswith("slot")}
        for slot in self._table.slots.values():
            for server in slot.servers.values():
                row = rows.pop((slot.name, server.id), None)
                if row is None or row.address != f"{server.address}:{server.port}":
                    await self._restore(slot, server, row)
                elif _strays(server, row):
                    await self._told(*_state_lines(slot, server))
        for backend, name in rows:
            await self._delete(f"{backend}/{name}")
        maps = ((HOSTS, self._table.hosts()), (CLOSED, self._table.closed()), (LOGGED, self._table.logged()))
        for path, wanted in maps:
            have = await self._runtime.run(f"show map {path}")
            before = dict(line.split()[1:3] for line in have.splitlines() if len(line.split()) == 3)
            await self._runtime.run_all(map_lines(path, before, wanted))

    async def _restore(self, slot: Slot, server: Server, row: Row | None) -> None:
        if row is not None:
            await self._delete(f"{slot.name}/{server.id}")
        await self._told(*add_lines(slot, server), *_state_lines(slot, server))

    async def _grow(self) -> None:
        """More slots than the proxy has: the one change that takes a reload, which loses no request."""
        self._files.write(self._table)
        await self._reload()

    async def _reload(self) -> None:
        answer = await self._runtime.reload()
        if "Success=1" not in answer:
            raise ProxyUnavailable("The proxy did not take its new configuration.", answer.strip()[:500])
        await self._answering()

    async def _told(self, *lines: str) -> None:
        answer = await self._runtime.run(*lines)
        wrong = [line for line in answer.splitlines() if line.strip() and not line.startswith("New server registered")]
        if wrong:
            raise ProxyUnavailable(f"The proxy refused a change: {wrong[0]}", "It is tried again within seconds.")

    async def _delete(self, name: str) -> None:
        """Requests that fail over at this moment get half a second; then what the server still carries is cut."""
        await self._runtime.run(f"set server {name} state maint")
        for patience in ("500ms", *["1s"] * 20):
            answer = await self._runtime.run(f"wait {patience} srv-removable {name}", f"del server {name}")
            if "Server deleted" in answer or "No such server" in answer:
                return
            await self._runtime.run(f"shutdown sessions server {name}")
        log.warning("a server stays in the proxy", server=name, answer=answer.strip())

    # the table

    def _slot(self, app: str) -> Slot:
        return self._table.slots.get(app) or Slot("", app)

    def _keep(self, app: str, servers: Mapping[str, Server]) -> None:
        if app in self._table.slots:
            self._table = self._table.with_servers(app, servers)
            self._files.save(self._table)


def _seen(server: Server, row: Row | None) -> Server:
    if row is None:
        return server
    up = row.status.startswith("UP") or row.status == "DRAIN" or row.status == "no check"
    draining = row.status.startswith("DRAIN") and server.weight == 0 and server.draining
    return replace(
        server, up=up, draining=draining, weight=row.weight, sessions=row.sessions, last_check=row.last_check
    )


def _strays(server: Server, row: Row) -> bool:
    if server.draining:
        return not row.status.startswith("DRAIN")
    return row.weight != server.weight or (row.status.startswith("DRAIN") and server.weight > 0)


def _switched(server: Server, *, on: bool) -> Server:
    return replace(server, weight=WEIGHT if on else 0, draining=not on)


def _state_lines(slot: Slot, server: Server) -> list[str]:
    if server.draining:
        return [f"set server {slot.name}/{server.id} state drain"]
    if server.weight:
        return activate_lines(slot, server.id)
    return [f"set server {slot.name}/{server.id} state ready", f"set server {slot.name}/{server.id} weight 0"]
