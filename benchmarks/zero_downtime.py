"""Deploys of a rude app under load: Mothership against a plain `docker service update` behind the same HAProxy.

    python benchmarks/zero_downtime.py [ROUNDS]     prints markdown tables; needs a Swarm manager; about five minutes

The app boots in 1.5 s, dies at once on SIGTERM, and serves quick requests, 3-second responses, uploads, event streams
and WebSockets. Both ways run the same image; the plain way updates start-first and finds tasks by Swarm's DNS.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.engine import load
from tests.engine.server import Server, free_ports

INSTANCE = "mstbench"
PLAIN = "mstbench-plain"
BOOT = 1.5

HAPROXY = """\
global
    stats socket /proxy/admin.sock mode 600 level admin
resolvers swarm
    nameserver dns 127.0.0.11:53
    hold valid 200ms
    hold obsolete 0
    timeout resolve 200ms
defaults
    mode http
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response
    timeout connect 5s
    timeout client 15m
    timeout server 15m
    timeout tunnel 24h
    balance leastconn
frontend web
    bind :8080
    http-request disable-l7-retry unless { method GET HEAD OPTIONS }
    default_backend app
backend app
    option tcp-check
    server-template web 10 tasks.SERVICE:5000 resolvers swarm check inter 200ms init-addr none
"""


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"docker {words[0]} failed: {done.stderr}")
    return done.stdout.strip()


async def measured(url: str, host: str, rounds: int, deploy: Callable[[int], Awaitable[None]]) -> load.Tally:
    """The load's tally over so many deploys."""
    async with load.running(url, host) as tally:
        for number in range(rounds):
            await deploy(number)
            await asyncio.sleep(1)
    return tally


async def switched(url: str, host: str, deploy: Callable[[int], Awaitable[None]], rounds: int) -> list[float]:
    """Seconds from the order of a deploy to the last answer of the release before, less the app's boot."""
    took = []
    async with aiohttp.ClientSession(headers={"Host": host}) as session:
        for number in range(rounds):
            async with session.get(url) as answer:
                before = await answer.text()
            began = last = time.monotonic()
            going = asyncio.ensure_future(deploy(1000 + number))
            while not going.done() or time.monotonic() - last < 1:
                asked = time.monotonic()
                async with session.get(url) as answer:
                    if await answer.text() == before:
                        last = asked
                await asyncio.sleep(0.01)
            await going
            took.append(last - began - BOOT)
    return took


async def mothership(server: Server, rounds: int) -> tuple[load.Tally, list[float], list[float]]:
    async def deploy(number: int) -> None:
        done = await asyncio.to_thread(server.ssh, f"config:set rude ROUND={number}")
        assert done.returncode == 0, done.stderr

    async def roll_back(number: int) -> None:
        done = await asyncio.to_thread(server.ssh, "rollback rude")
        assert done.returncode == 0, done.stderr

    url, host = f"http://127.0.0.1:{server.http_port}", "rude.localhost"
    tally = await measured(url, host, rounds, deploy)
    return tally, await switched(url, host, deploy, 5), await switched(url, host, roll_back, 5)


async def plain(image: str, platform: str, rounds: int, folder: Path) -> load.Tally:
    port = free_ports(1)[0]
    (folder / "haproxy.cfg").write_text(HAPROXY.replace("SERVICE", PLAIN))
    docker("network", "create", "--driver", "overlay", "--attachable", PLAIN)
    try:
        create = [
            "service",
            "create",
            "--name",
            PLAIN,
            "--network",
            PLAIN,
            "--endpoint-mode",
            "dnsrr",
            "--detach=false",
        ]
        release = ["--env", "PORT=5000", "--env", "MOTHERSHIP_RELEASE=v0"]
        docker(*create, *release, image, "app", "exec python app.py")
        proxy = ["--entrypoint", "haproxy", platform, "-W", "-db", "-f", "/proxy/haproxy.cfg"]
        place = ["-p", f"127.0.0.1:{port}:8080", "-v", f"{folder}:/proxy", "--user", "0"]
        docker("run", "-d", "--name", PLAIN, "--network", PLAIN, *place, *proxy)
        await asyncio.sleep(4)

        async def deploy(number: int) -> None:
            update = ["service", "update", "--detach=false", "--update-order", "start-first", "--update-monitor", "1s"]
            await asyncio.to_thread(docker, *update, "--env-add", f"MOTHERSHIP_RELEASE=r{number}", PLAIN)

        url = f"http://127.0.0.1:{port}"
        return await measured(url, "rude", rounds, deploy)
    finally:
        for words in (("rm", "-f", PLAIN), ("service", "rm", PLAIN)):
            subprocess.run(["docker", *words], capture_output=True, check=False)
        await asyncio.sleep(3)
        subprocess.run(["docker", "network", "rm", PLAIN], capture_output=True, check=False)


def row(name: str, tally: load.Tally) -> str:
    good = sum(tally.good.values())
    broken = sum(not text.startswith(("quick", "upload")) for text in tally.failed)
    return f"| {name} | {good + len(tally.failed)} | {len(tally.failed)} | {broken} |"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as path:
        root = Path(path)
        server = Server(root, INSTANCE, drain=10)
        folder = root / "app"
        folder.mkdir()
        (root / "plain").mkdir()
        try:
            server.start()
            source = {"app.py": load.rude("a"), "requirements.txt": "", "Procfile": "web: exec python app.py\n"}
            server.commit(folder, source)
            pushed = server.push(folder, "rude")
            assert pushed.code == 0, pushed.text
            digest = server.ssh("apps:info rude").stdout.split("image:")[1].split()[0]
            ours, took, back = asyncio.run(mothership(server, rounds))
            platform = f"mothership/platform:{server.settings.stack}"
            image = f"{server.settings.registry}/rude@{digest}"
            theirs = asyncio.run(plain(image, platform, rounds, root / "plain"))
        finally:
            server.destroy()
    print(f"{rounds} deploys each\n\n| way | requests | failed | of those in flight for 3 s |\n|---|---|---|---|")
    print(row("Mothership", ours))
    print(row("docker service update, start-first, DNS discovery", theirs))
    print("\n| to all traffic on the new release, less the app's boot, seconds | median of 5 | worst |\n|---|---|---|")
    print(f"| `config:set` (goal: 1.5) | {statistics.median(took):.2f} | {max(took):.2f} |")
    print(f"| `rollback` (goal: 3) | {statistics.median(back):.2f} | {max(back):.2f} |")


if __name__ == "__main__":
    main()
