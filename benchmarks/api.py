"""How fast commands are with 500 apps: over the API, and over SSH with its handshake.

python benchmarks/api.py        prints a markdown table; needs root, the engine and a minute; the daemon has one core
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[1]))

from mothership.model import Image
from mothership.model import Release as Made
from mothership.store import Accounts, Apps, Releases, Store
from tests.engine.server import Server

APPS = 500
SECONDS = 5
CLIENTS = 8
LOGINS = 15
CORE = min(os.sched_getaffinity(0))
OTHERS = os.sched_getaffinity(0) - {CORE} or {CORE}


def fill(data: Path) -> None:
    """500 apps of ada's, each with a release that is current and scaled to nothing."""
    store = Store(data)
    accounts, apps, releases = Accounts(store), Apps(store), Releases(store)
    ada = accounts.user("ada")
    image = Image("none", "sha256:" + "0" * 64, "dockerfile", {"web": ""})
    with accounts.all_or_nothing():
        for number in range(APPS):
            app = apps.create(f"app-{number}", ada)
            releases.make_current(releases.create(Made(app.name, 0, image, {}, {"web": 0}, "c" * 40)))
    store.close()


async def requests_a_second(server: Server, token: str) -> float:
    """GET /api/v1/apps through the proxy, from several connections at a time."""
    ends = time.monotonic() + SECONDS
    headers = {"Authorization": f"Bearer {token}", "Host": "mothership.localhost"}
    url = f"http://127.0.0.1:{server.http_port}/api/v1/apps"

    async def client(session: aiohttp.ClientSession) -> int:
        done = 0
        while time.monotonic() < ends:
            async with session.get(url, headers=headers) as response:
                body = await response.read()
                assert response.status == 200 and body.count(b'"app"') == APPS
            done += 1
        return done

    async with aiohttp.ClientSession() as session:
        return sum(await asyncio.gather(*(client(session) for _ in range(CLIENTS)))) / SECONDS


def logins(server: Server) -> list[float]:
    """`ssh HOST apps` with the real client, each on a connection of its own; milliseconds."""
    took = []
    for _ in range(LOGINS):
        began = time.monotonic()
        done = server.ssh("apps")
        took.append((time.monotonic() - began) * 1000)
        assert done.stdout.count("\n") == APPS + 1
    return took


def spent(server: Server) -> float:
    """Seconds of CPU that the daemon has used."""
    assert server.process
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(server: Server) -> float:
    """The daemon's resident memory in MB."""
    assert server.process
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as path:
        server = Server(Path(path), f"mst{os.environ.get('MOTHERSHIP_TEST_NAME', '')}api")
        try:
            fill(server.data)
            server.start()
            assert server.process
            os.sched_setaffinity(server.process.pid, {CORE})
            os.sched_setaffinity(0, OTHERS)
            token = server.ssh("tokens:create bench").stdout.strip()
            fresh = resident(server)
            before = spent(server)
            rate = asyncio.run(requests_a_second(server, token))
            each = (spent(server) - before) / (rate * SECONDS) * 1000
            took = logins(server)
            print(f"{APPS} apps, the daemon on one core, {CLIENTS} connections for {SECONDS} s, {LOGINS} logins\n")
            print("| what | measured | goal |\n|---|---|---|")
            print(f"| `GET /api/v1/apps`, requests/s | {rate:.0f} | 300 |")
            print(f"| the daemon's CPU for each, ms | {each:.1f} | |")
            print(f"| `ssh HOST apps`, handshake included, median ms | {statistics.median(took):.0f} | 250 |")
            print(f"| the slowest of them, ms | {max(took):.0f} | |")
            print(f"| the daemon's memory after its start, MB RSS | {fresh:.0f} | |")
            print(f"| and after all of this | {resident(server):.0f} | |")
        finally:
            server.destroy()


if __name__ == "__main__":
    main()
