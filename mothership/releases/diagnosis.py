"""Why a process did not come up, in words the app's author can act on."""

import ipaddress
from pathlib import Path

from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import MothershipError, ReleaseFailed
from mothership.model import Limits, Release
from mothership.swarm.plan import port
from mothership.swarm.tasks import Task

LINES = 30
WIDTH = 1000
LISTEN = "0A"
DOCKER_DNS = ipaddress.ip_address("127.0.0.11")

EXIT_HINTS = {
    126: "Its command can't be executed: is it a script without the executable bit?",
    127: "Its command is not in the image. Is the package that has it among your dependencies? "
    "A line such as web: COMMAND in the Procfile names another one.",
}


class Diagnosis:
    """Looks at failed tasks through the engine that ran them."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    async def crashed(self, release: Release, task: Task) -> ReleaseFailed:
        """The error for a task that ended by itself, with its last lines."""
        name = f"{task.process}.{task.slot}"
        if task.state == "rejected" or not task.container:
            return ReleaseFailed(
                f"{name} of {release.app} could not be started: {task.error or 'the engine gave no reason'}",
                reason=f"{task.process} could not be started",
            )
        limits = release.limits.get(task.process, Limits())
        if await self._out_of_memory(task):
            return ReleaseFailed(
                f"{name} of {release.app} used more than its {limits.memory} MB of memory and was stopped.",
                f"Give it more: mothership limits {task.process} --memory {limits.memory * 2}",
                reason=f"{task.process} ran out of memory",
            )
        return ReleaseFailed(
            f"{name} of {release.app} {_ending(task.exit_code)}.",
            EXIT_HINTS.get(task.exit_code, "Its own output above says why."),
            reason=f"{task.process} crashed on start",
        )

    async def silent(
        self, release: Release, task: Task | None, *, process: str, seconds: int, connected: bool
    ) -> ReleaseFailed:
        """The error for a process that was not up in time; `connected` when it took connections all the same."""
        wanted = port(release)
        if task is None or not task.container or process != "web":
            return ReleaseFailed(
                f"{process} of {release.app} was not up within {seconds} seconds.",
                (task.error if task else "") or "The engine found no machine with room for it.",
                reason=f"{process} was not up in time",
            )
        if connected:
            return ReleaseFailed(
                f"web of {release.app} takes connections on $PORT but answered no request within {seconds} seconds.",
                "Its log says what it waits for: a database that can't be reached, workers that don't start?",
                reason="web answered no request",
            )
        found = await self._listening(task)
        places = ", ".join(f"{address}:{number}" for address, number in found[:5])
        where = f"It listens on {places} instead." if found else "It listens on no port at all."
        other = next(
            (number for address, number in found if not address.startswith(("127.", "::1")) and number != wanted), 0
        )
        named = f"\nOr have this port routed: mothership config:set -a {release.app} PORT={other}" if other else ""
        return ReleaseFailed(
            f"web of {release.app} did not listen on $PORT ({wanted}) within {seconds} seconds. {where}",
            f"Make it listen on 0.0.0.0 and the port in the PORT environment variable.{named}",
            reason="web did not listen on $PORT",
        )

    async def last_lines(self, task: Task) -> list[str]:
        """The last lines the task printed, each cut to a readable width."""
        if not task.container:
            return []
        try:
            lines = await self._engine.logs(task.container, tail=LINES)
        except MothershipError:
            return []
        return [line[:WIDTH] for line in lines]

    async def _out_of_memory(self, task: Task) -> bool:
        try:
            return bool((await self._engine.inspect(task.container))["State"]["OOMKilled"])
        except MothershipError:
            return False

    async def _listening(self, task: Task) -> list[tuple[str, int]]:
        try:
            pid = int((await self._engine.inspect(task.container))["State"]["Pid"])
        except MothershipError:
            return []
        return listening(Path(f"/proc/{pid}/net"))


def listening(net: Path) -> list[tuple[str, int]]:
    """The TCP addresses that processes of a network namespace listen on (proc(5), /proc/net/tcp)."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            rows = (net / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            local, state = row.split()[1], row.split()[3]
            address, number = _address(local)
            if state == LISTEN and address != DOCKER_DNS:
                found.add((str(address), number))
    return sorted(found, key=lambda entry: entry[1])


def _address(text: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    host, number = text.split(":")
    words = [bytes.fromhex(host[i : i + 8])[::-1] for i in range(0, len(host), 8)]
    return ipaddress.ip_address(b"".join(words)), int(number, 16)


def _ending(code: int) -> str:
    if code == 0:
        return "ended at once with exit code 0: a process must keep running"
    if code > 128:
        return f"was ended by signal {code - 128}"
    return f"crashed on start with exit code {code}"
