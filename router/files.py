"""The proxy's files: what a restarted proxy comes up with, and what a restarted daemon remembers."""

import asyncio
import json
from importlib.resources import files
from pathlib import Path

from mothership.config import Settings
from router.render import closed_map, config, head, hosts_map, logged_map
from router.table import Table, dump, load

COALESCE = 0.2
"""Seconds in which further changes join the same write."""

PAGES = ("404.html", "503.html", "closed.html", "daemon.txt")


class Files:
    """Writes the table as HAProxy's configuration and maps, and as JSON for ourselves."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._settings = settings
        self._directory = directory
        self._table = Table(settings.slots)
        self._saving: asyncio.Task[None] | None = None

    def load(self) -> Table:
        """The table as an earlier daemon left it."""
        path = self._directory / "table.json"
        return load(json.loads(path.read_text())) if path.exists() else Table(self._settings.slots)

    def outdated(self, table: Table) -> bool:
        """Whether a proxy may still run the configuration of another version of ours, or of other settings."""
        path = self._directory / "haproxy.cfg"
        return path.exists() and head(path.read_text()) != head(self._config(table))

    def pages(self) -> None:
        """Write the pages that the proxy itself answers with."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for page in PAGES:
            _replace(self._directory / page, (files("router") / "pages" / page).read_text())

    def write(self, table: Table) -> None:
        """Write a table now, each file whole or not at all."""
        _replace(self._directory / "haproxy.cfg", self._config(table))
        _replace(self._directory / "hosts.map", hosts_map(table))
        _replace(self._directory / "closed.map", closed_map(table))
        _replace(self._directory / "logged.map", logged_map(table))
        _replace(self._directory / "table.json", json.dumps(dump(table)))

    def save(self, table: Table) -> None:
        """Have a table written soon, in a thread."""
        self._table = table
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save())

    async def close(self) -> None:
        """Wait for what is still to be written."""
        if self._saving:
            await asyncio.wait([self._saving])

    async def _save(self) -> None:
        await asyncio.sleep(COALESCE)
        written = None
        while written is not self._table:
            written = self._table
            await asyncio.to_thread(self.write, written)

    def _config(self, table: Table) -> str:
        return config(
            table, domain=self._settings.domain, public_port=self._settings.public_port, scheme=self._settings.scheme
        )


def _replace(path: Path, text: str) -> None:
    scratch = path.with_name(path.name + ".new")
    scratch.write_text(text)
    scratch.rename(path)
