"""The real proxy in front of real containers: what passes, what is lost (nothing), what it says when nobody answers."""

import asyncio
import base64
import contextlib
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from mothership.config import Settings
from mothership.engine import Bind, ContainerSpec, Engine
from router import Router, Target
from tests.engine.server import free_ports, remove_instance, until

APP = """
import asyncio, base64, hashlib, os, sys
NAME = sys.argv[1]
async def handle(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\\r\\n\\r\\n")).decode("latin-1")
            request, *rows = head.split("\\r\\n")
            headers = {k.lower(): v for k, _, v in (row.partition(": ") for row in rows) if k}
            path = request.split()[1]
            if path == "/ws":
                key = hashlib.sha1((headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())
                writer.write(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
                    b"Sec-WebSocket-Accept: " + base64.b64encode(key.digest()) + b"\\r\\n\\r\\n")
                while data := await reader.read(4096):
                    writer.write(b"\\x81\\x02hi")
                return
            if path == "/events":
                writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\n\\r\\n")
                for number in range(3):
                    writer.write(f"data: {number}\\n\\n".encode()); await writer.drain(); await asyncio.sleep(0.4)
                return
            size = int(headers.get("content-length", 0))
            got = len(await reader.readexactly(size)) if size else 0
            if path == "/slow": await asyncio.sleep(2)
            body = (f"{NAME} {got}\\n" + "\\n".join(f"{k}: {v}" for k, v in headers.items())).encode()
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
async def main():
    server = await asyncio.start_server(handle, "0.0.0.0", 5000, limit=1 << 28)
    await server.serve_forever()
asyncio.run(main())
"""


class Town:
    """A proxy and two containers behind it, in a loop of its own."""

    def __init__(self, root: Path, instance: str) -> None:
        (port,) = free_ports(1)
        self.settings = Settings(data=root / "data", instance=instance, http_port=port, slots=2)
        self.engine = Engine()
        self.router = Router(self.settings, self.engine)
        self.url = f"http://127.0.0.1:{port}"
        self.targets: dict[str, Target] = {}
        (root / "app.py").write_text(APP)
        self._app = root / "app.py"

    async def open(self) -> None:
        mine = {"mothership.instance": self.settings.instance}
        await self.engine.create_overlay(self.settings.network, mine)
        for name in ("one", "two"):
            spec = ContainerSpec(
                image="mothership/stack-run:heroku-24",
                entrypoint=("python3", "/app.py", name),
                binds=(Bind(str(self._app), "/app.py", read_only=True),),
                network=self.settings.network,
                labels=mine,
            )
            container = await self.engine.create(spec)
            await self.engine.start(container)
            found = await self.engine.inspect(container)
            address = found["NetworkSettings"]["Networks"][self.settings.network]["IPAddress"]
            self.targets[name] = Target(name, address, 5000)
        await self.router.start()

    async def serve(self, app: str, *names: str) -> None:
        await self.router.set_hosts(app, (f"{app}.localhost",))
        await self.router.add(app, tuple(self.targets[name] for name in names))
        await self.router.wait_up(app, names, timeout=5)
        await self.router.switch(app, names)

    def get(self, app: str, path: str = "/", data: bytes | None = None, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(self.url + path, data=data)
        request.add_header("Host", f"{app}.localhost")
        for key, value in headers.items():
            request.add_header(key.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_town(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> AsyncIterator[Town]:
    made = Town(tmp_path_factory.mktemp("town"), f"mstr{worker_id}")
    try:
        await made.open()
        yield made
    finally:
        await made.router.close()
        await remove_instance(made.settings.instance)


@pytest_asyncio.fixture(loop_scope="module")
async def town(shared_town: Town) -> AsyncIterator[Town]:
    """The module's proxy, without any app in it afterwards."""
    yield shared_town
    for app in ("blog", "idle", *(f"more{number}" for number in range(5))):
        await shared_town.router.forget(app)


async def test_requests_pass_with_what_the_app_needs_to_know(town: Town) -> None:
    await town.serve("blog", "one")
    status, body = await asyncio.to_thread(town.get, "blog", X_Forwarded_For="6.6.6.6")
    assert status == 200 and body.startswith("one")
    assert "6.6.6.6" not in body and "x-forwarded-for: " in body
    assert "x-forwarded-proto: http" in body and "x-forwarded-host: blog.localhost" in body
    assert "x-request-id: " in body
    assert "x-request-id: abcdef-12345" in (await asyncio.to_thread(town.get, "blog", X_Request_Id="abcdef-12345"))[1]
    assert (await asyncio.to_thread(town.get, "BLOG"))[0] == 200


async def test_nobody_and_nothing_running_are_told_apart(town: Town) -> None:
    assert (await asyncio.to_thread(town.get, "nobody"))[0] == 404
    await town.router.set_hosts("idle", ("idle.localhost",))
    status, body = await asyncio.to_thread(town.get, "idle")
    assert status == 503 and "no running web process" in body
    status, body = await asyncio.to_thread(town.get, "mothership")
    assert status == 503 and "Mothership itself is not running" in body


async def test_a_100_mb_upload_passes(town: Town) -> None:
    await town.serve("blog", "one")
    status, body = await asyncio.to_thread(town.get, "blog", "/", bytes(100_000_000))
    assert status == 200 and body.startswith("one 100000000")


async def test_events_arrive_as_they_are_sent(town: Town) -> None:
    await town.serve("blog", "one")
    times = []
    async with (
        aiohttp.ClientSession() as session,
        session.get(town.url + "/events", headers={"Host": "blog.localhost"}) as answer,
    ):
        async for line in answer.content:
            if line.startswith(b"data"):
                times.append(time.monotonic())
    assert len(times) == 3 and times[2] - times[0] > 0.6


async def test_a_websocket_outlives_the_switch_and_ends_with_the_old_server(town: Town) -> None:
    await town.serve("blog", "one")
    host, port = "127.0.0.1", town.settings.http_port
    reader, writer = await asyncio.open_connection(host, port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: blog.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    await town.router.add("blog", (town.targets["two"],))
    await town.router.wait_up("blog", ["two"], timeout=5)
    await town.router.switch("blog", ["two"])
    assert (await asyncio.to_thread(town.get, "blog"))[1].startswith("two")
    writer.write(b"x")
    assert await asyncio.wait_for(reader.readexactly(4), 5) == b"\x81\x02hi"
    assert not await town.router.drained("blog", ["one"], timeout=0.5)
    await town.router.remove("blog", ["one"])
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_switching_under_load_fails_no_request(town: Town) -> None:
    await town.serve("blog", "one")
    answers: list[int] = []
    stop = threading.Event()

    def load(path: str) -> None:
        while not stop.is_set():
            try:
                answers.append(town.get("blog", path)[0])
            except OSError:
                answers.append(0)

    threads = [threading.Thread(target=load, args=(path,)) for path in ("/", "/", "/", "/slow", "/slow")]
    for thread in threads:
        thread.start()
    current, other = "one", "two"
    for _ in range(4):
        await town.router.add("blog", (town.targets[other],))
        await town.router.wait_up("blog", [other], timeout=5)
        await town.router.switch("blog", [other])
        assert await town.router.drained("blog", [current], timeout=10)
        await town.router.remove("blog", [current])
        current, other = other, current
    stop.set()
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])
    assert len(answers) > 100 and set(answers) == {200}


async def test_more_slots_than_provisioned_lose_no_request(town: Town) -> None:
    await town.serve("blog", "one")
    answers = []
    for number in range(5):
        slow = asyncio.create_task(asyncio.to_thread(town.get, "blog", "/slow"))
        await asyncio.sleep(0.2)
        await town.router.set_hosts(f"more{number}", (f"more{number}.localhost",))
        answers.append((await asyncio.to_thread(town.get, "blog"))[0])
        answers.append((await slow)[0])
    assert answers == [200] * 10
    assert (await asyncio.to_thread(town.get, "more4"))[0] == 503


async def test_a_restarted_or_removed_proxy_comes_up_right(town: Town) -> None:
    await town.serve("blog", "one", "two")
    await asyncio.sleep(0.5)
    name = f"{town.settings.instance}-proxy"
    await town.engine.stop(name, timeout=1)
    await town.engine.start(name)

    def serves() -> bool:
        with contextlib.suppress(OSError):
            return town.get("blog")[0] == 200
        return False

    assert await asyncio.to_thread(until, serves, seconds=10)
    await town.engine.remove(name)
    await town.router.ensure()
    assert await asyncio.to_thread(until, serves, seconds=10)
    assert await town.router.differences() == []


async def test_what_somebody_else_changed_in_the_proxy_is_put_right(town: Town) -> None:
    await town.serve("blog", "one", "two")
    await town.router.remove("blog", ["two"])
    await town.router.add("blog", (town.targets["two"],))
    town.router._table = town.router._table.without("blog")
    assert len(await town.router.differences()) == 2
    await town.router.ensure()
    assert await town.router.differences() == []
