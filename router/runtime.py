"""HAProxy's Runtime API over its unix socket (HAProxy 3.0 Management Guide, section 9.3)."""

import asyncio
import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mothership.errors import ProxyUnavailable

TIMEOUT = 10.0
BATCH = 8192


@dataclass(frozen=True)
class Row:
    """A server of `show stat`."""

    backend: str
    name: str
    address: str
    status: str
    weight: int
    sessions: int
    last_check: str


class Runtime:
    """One command line per connection; what is on one line is done without anything between."""

    def __init__(self, directory: Path) -> None:
        self._admin = directory / "admin.sock"
        self._master = directory / "master.sock"

    async def run(self, *lines: str) -> str:
        """Run commands and return what they print. Raises ProxyUnavailable."""
        return await self._ask(self._admin, ";".join(lines)) if lines else ""

    async def run_all(self, lines: Iterable[str]) -> None:
        """Run any number of commands, as many at once as fit the proxy's buffer."""
        batch: list[str] = []
        for line in lines:
            if batch and sum(map(len, batch)) + len(line) > BATCH:
                await self.run(*batch)
                batch = []
            batch.append(line)
        await self.run(*batch)

    async def reload(self) -> str:
        """Start a new worker with the configuration on disk; what the master says of it."""
        return await self._ask(self._master, "reload")

    async def stat(self, backend: str = "-1") -> list[Row]:
        """The servers of a backend, or of all."""
        return parse_stat(await self.run(f"show stat {backend} 4 -1"))

    async def _ask(self, path: Path, line: str) -> str:
        try:
            async with asyncio.timeout(TIMEOUT):
                reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 22)
                try:
                    writer.write(line.encode() + b"\n")
                    await writer.drain()
                    return (await reader.read(-1)).decode(errors="replace")
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            raise ProxyUnavailable(
                "The proxy does not answer its control socket.", "It is started again within seconds; then try again."
            ) from error


def parse_stat(text: str) -> list[Row]:
    """Parse the CSV of `show stat`."""
    lines = [line for line in text.lstrip("# ").splitlines() if line.strip()]
    rows = csv.DictReader(lines)
    return [
        Row(
            backend=row["pxname"],
            name=row["svname"],
            address=row["addr"],
            status=row["status"],
            weight=int(row["weight"] or 0),
            sessions=int(row["scur"] or 0),
            last_check=f"{row['check_status']} {row['last_chk']}".strip(),
        )
        for row in rows
        if row.get("svname") not in (None, "BACKEND", "FRONTEND")
    ]
