"""A steady load of every kind of request, and the rude app it goes to."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp

SLOW = 3.0
"""Seconds that a slow response, a stream and a WebSocket's conversation take."""

RUDE = """
import base64, hashlib, http.server, os, signal, time
time.sleep(1.5)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
VERSION = "VERSION"
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/socket":
            return self.socket()
        if self.path == "/events":
            return self.events()
        if self.path == "/slow":
            time.sleep(SECONDS)
        self.answer(f"{VERSION} {os.environ['MOTHERSHIP_RELEASE']}".encode())
    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(15):
            self.wfile.write(f"data: {number}\\n\\n".encode())
            self.wfile.flush()
            time.sleep(SECONDS / 15)
        self.wfile.write(b"data: end\\n\\n")
        self.close_connection = True
    def socket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.wfile.write(("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
                          f"Sec-WebSocket-Accept: {accept}\\r\\n\\r\\n").encode())
        while True:
            first, second = self.rfile.read(1)[0], self.rfile.read(1)[0]
            mask, size = self.rfile.read(4), second & 127
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(size)))
            self.wfile.write(bytes([first, size]) + data)
            self.wfile.flush()
            if first & 15 == 8:
                self.close_connection = True
                return
    def log_message(self, *args): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True
Server(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""


def rude(version: str) -> str:
    """An app that boots in 1.5 s and dies at once on SIGTERM, whatever it is doing."""
    return RUDE.replace('"VERSION"', f'"{version}"').replace("SECONDS", str(SLOW))


@dataclass
class Tally:
    """What the load met: how many of each kind went well, and every failure in words."""

    good: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(self.good.items()))
        return f"{counts}; {len(self.failed)} failed"


@contextlib.asynccontextmanager
async def running(
    url: str, host: str, *, quick: int = 6, pause: float = 0.01, slow: bool = True
) -> AsyncIterator[Tally]:
    """Load an app during the block: quick requests on new and on kept connections, and if `slow` also uploads,
    3-second responses, event streams and WebSockets.

    What is under way when the block ends is seen to its end.
    """
    tally, stop = Tally(), asyncio.Event()
    kinds = {"slow": _slow, "events": _events, "socket": _socket, "upload": _upload}
    async with aiohttp.ClientSession(headers={"Host": host}) as kept:
        single = aiohttp.ClientSession(headers={"Host": host}, connector=aiohttp.TCPConnector(force_close=True))
        async with single:
            tasks = [
                asyncio.create_task(_repeat("quick", _quick, session, url, tally, stop, pause))
                for session in (kept, single)
                for _ in range(quick // 2)
            ]
            if slow:
                conversations = [(kind, verb, single) for kind, verb in kinds.items()] + [("slow", _slow, kept)]
                tasks += [
                    asyncio.create_task(_repeat(kind, verb, session, url, tally, stop, 0.05))
                    for kind, verb, session in conversations
                ]
            try:
                yield tally
            finally:
                stop.set()
                await asyncio.gather(*tasks)


async def _repeat(
    kind: str, verb: object, session: aiohttp.ClientSession, url: str, tally: Tally, stop: asyncio.Event, pause: float
) -> None:
    while not stop.is_set():
        try:
            async with asyncio.timeout(30):
                await verb(session, url, tally)  # type: ignore[operator]
            tally.good[kind] += 1
        except (aiohttp.ClientError, OSError, TimeoutError, AssertionError) as error:
            tally.failed.append(f"{kind}: {type(error).__name__} {error}")
        await asyncio.sleep(pause)


async def _quick(session: aiohttp.ClientSession, url: str, tally: Tally) -> None:
    async with session.get(url) as answer:
        text = await answer.text()
        assert answer.status == 200, f"{answer.status} {text[:80]}"
        tally.seen.add(text)


async def _slow(session: aiohttp.ClientSession, url: str, tally: Tally) -> None:
    await _quick(session, f"{url}/slow", tally)


async def _upload(session: aiohttp.ClientSession, url: str, tally: Tally) -> None:
    sent = b"x" * 200_000
    async with session.post(url, data=sent) as answer:
        assert answer.status == 200 and await answer.read() == sent, str(answer.status)


async def _events(session: aiohttp.ClientSession, url: str, tally: Tally) -> None:
    async with session.get(f"{url}/events") as answer:
        text = await answer.text()
        assert text.endswith("data: end\n\n"), f"a stream broke off after {text[-20:]!r}"


async def _socket(session: aiohttp.ClientSession, url: str, tally: Tally) -> None:
    async with session.ws_connect(f"{url}/socket") as socket:
        for number in range(15):
            await socket.send_str(str(number))
            assert await socket.receive_str() == str(number), "a WebSocket lost a message"
            await asyncio.sleep(SLOW / 15)
