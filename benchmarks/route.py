"""The router against the same HAProxy with a static configuration and against the app itself.

Needs a running engine with the stack's images, and wrk. The load stays inside each container's own network namespace,
on its loopback. Prints a Markdown table; run as root: python -m benchmarks.route
"""

import asyncio
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from mothership.config import Settings
from mothership.engine import Bind, ContainerSpec, Engine
from router import Router, Target
from router.render import HEAD

RUNS = 5
SECONDS = 3
INSTANCE = "msbench"
LABELS = {"mothership.instance": INSTANCE}
PLATFORM = "mothership/platform:heroku-24"
SWITCHES = 20

APP = """
global
    nbthread 1
defaults
    mode http
    timeout client 60s
frontend app
    bind :5000
    http-request return status 200 content-type text/plain string hello
"""

BARE = """
defaults
    mode http
    option http-keep-alive
    option forwardfor
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    balance leastconn
frontend web
    bind :8080
    use_backend app if {{ req.hdr(host),field(1,:),lower -m str app0.localhost }}
backend app
    server app {address}:5000 check
"""


@dataclass(frozen=True)
class Load:
    """What wrk measured: requests per second, and the 99th percentile in milliseconds."""

    rate: float
    p99: float


async def main() -> None:
    if not shutil.which("wrk"):
        sys.exit("wrk is needed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as root:
        bench = Bench(Path(root))
        try:
            await bench.run()
        finally:
            await bench.close()


class Bench:
    """An app, a static proxy and the router, side by side."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._engine = Engine()
        self._settings = Settings(data=root / "data", instance=INSTANCE, http_port=18099, slots=64)
        self._router = Router(self._settings, self._engine)

    async def run(self) -> None:
        await self._engine.create_overlay(INSTANCE, LABELS)
        apps = [await self._haproxy(f"app{n}", APP) for n in (0, 1)]
        bare = await self._haproxy("bare", BARE.format(address=apps[0][1]))
        static = await self._haproxy("static", static_config(apps[0][1]))
        await self._router.start()
        proxy = await self._pid(f"{INSTANCE}-proxy")
        await self._serve(apps[0][1])
        loads: dict[str, list[Load]] = {"router": [], "static": [], "static, no headers set": [], "direct": []}
        for _ in range(RUNS):
            loads["router"].append(wrk(proxy, 8080))
            loads["static"].append(wrk(static[0], 8080))
            loads["static, no headers set"].append(wrk(bare[0], 8080))
            loads["direct"].append(wrk(apps[0][0], 5000))
        few = await self._switches(apps[0][1], apps[1][1])
        many = tuple(f"host{number}.localhost" for number in range(9_990))
        await self._router.set_hosts("many", many)
        loads["router, 10,000 hostnames"] = [wrk(proxy, 8080) for _ in range(RUNS)]
        more = await self._switches(apps[0][1], apps[1][1])
        report(loads, few, more)

    async def close(self) -> None:
        await self._router.close()
        for container in await self._engine.containers(LABELS):
            await self._engine.remove(container["Id"])
        await asyncio.sleep(1)
        await self._engine.remove_network(INSTANCE)

    async def _haproxy(self, name: str, config: str) -> tuple[int, str]:
        path = self._root / f"{name}.cfg"
        path.write_text(config)
        spec = ContainerSpec(
            image=PLATFORM,
            entrypoint=("haproxy", "-db", "-f", "/haproxy.cfg"),
            user="0:0",
            binds=(Bind(str(path), "/haproxy.cfg", read_only=True),),
            network=INSTANCE,
            labels=LABELS,
        )
        container = await self._engine.create(spec, f"{INSTANCE}-{name}")
        await self._engine.start(container)
        found = await self._engine.inspect(container)
        return int(found["State"]["Pid"]), str(found["NetworkSettings"]["Networks"][INSTANCE]["IPAddress"])

    async def _pid(self, name: str) -> int:
        return int((await self._engine.inspect(name))["State"]["Pid"])

    async def _serve(self, address: str) -> None:
        await self._router.set_hosts("app", tuple(f"app{number}.localhost" for number in range(10)))
        await self._router.add("app", (Target("t0", address, 5000),))
        await self._router.wait_up("app", ["t0"], timeout=10)
        await self._router.switch("app", ["t0"])

    async def _switches(self, first: str, second: str) -> list[float]:
        """Milliseconds from a passed probe to the first request that the new server answered."""
        times = []
        for number in range(SWITCHES):
            new = f"s{time.time_ns()}"
            await self._router.add("app", (Target(new, second if number % 2 else first, 5000),))
            await self._router.wait_up("app", [new], timeout=10)
            began = time.perf_counter()
            await self._router.switch("app", [new])
            await asyncio.to_thread(get, self._settings.http_port)
            times.append((time.perf_counter() - began) * 1000)
            old = [server.id for server in await self._router.servers("app") if server.id != new]
            await self._router.remove("app", old)
        return times


def static_config(address: str) -> str:
    """What the router's configuration would be with one app written into it by hand, and no control plane."""
    nothing = dict.fromkeys(("hosts", "closed", "logged", "log", "format"), "")
    head = HEAD.format(proxy="/tmp", port=8080, public_port=80, domain="localhost", daemon="/tmp/none", **nothing)
    lines, driven = [], ("map_str", "use_backend", " acl ", " log ", "log-format", "http-error", " file ")
    for line in head.splitlines():
        if not any(word in line for word in driven):
            lines.append(line)
        if line.strip() == "default_backend nobody":
            lines.insert(-1, "    use_backend app if { var(txn.host) -m str app0.localhost }")
    return "\n".join([*lines, "backend app", f"    server app {address}:5000 check pool-max-conn 200", ""])


def get(port: int) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": "app0.localhost"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.read() == b"hello"


def wrk(pid: int, port: int) -> Load:
    """Load a port on the loopback of a container's network namespace."""
    argv = ["nsenter", f"--net=/proc/{pid}/ns/net", "wrk", "--latency", "-t1", "-c32", f"-d{SECONDS}s"]
    argv += ["-H", "Host: app0.localhost", f"http://127.0.0.1:{port}/"]
    text = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    if not rate or not p99 or "Non-2xx" in text:
        raise SystemExit(f"wrk did not measure what it should:\n{text}")
    return Load(float(rate[1]), float(p99[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]])


def report(loads: dict[str, list[Load]], few: list[float], more: list[float]) -> None:
    def middle(way: str, what: str) -> float:
        return statistics.median(getattr(load, what) for load in loads[way])

    base = middle("static", "rate")
    print("| way | requests/s | against static | p99, ms |\n|---|---|---|---|")
    for way in loads:
        print(f"| {way} | {middle(way, 'rate'):,.0f} | {middle(way, 'rate') / base:.2f}× | {middle(way, 'p99'):.2f} |")
    print("\n| probe passed → first routed request, ms | median | max |\n|---|---|---|")
    for name, times in (("10 hostnames", few), ("10,000 hostnames", more)):
        print(f"| {name} | {statistics.median(times):.1f} | {max(times):.1f} |")
    print(f"\n10,000 against 10 hostnames: {statistics.median(more) / statistics.median(few):.2f}× the time.")


if __name__ == "__main__":
    asyncio.run(main())
