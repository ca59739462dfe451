"""Drains against real listeners: syslog over TCP and TLS, HTTP posts, outages, and what is never shown."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web

from mothership.errors import Conflict, Invalid
from mothership.errors import Refused as NotAllowed
from mothership.logs import Journal, Query
from mothership.logs.address import address, masked
from mothership.logs.line import stored
from mothership.logs.outlets import QUEUE, Outlet, Outlets
from mothership.logs.reach import Reach, objection, own_addresses
from mothership.logs.syslog import framed, message
from mothership.store import Accounts, Apps, Store
from mothership.store.drains import Drain, Drains

LINE = stored("2026-11-22T12:00:00.123456789+00:00", "0123456789ab1", "app[web.1]", "GET /ü: 200")
MESSAGE = "<190>1 2026-11-22T12:00:00.123456+00:00 blog app web.1 - - GET /ü: 200\n".encode()


@dataclass
class Listener:
    """A syslog server; `messages` are the frames it was sent, parsed by their counts."""

    server: asyncio.Server | None = None
    port: int = 0
    messages: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def open(self, context: ssl.SSLContext | None = None) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self.server
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while count := await reader.readuntil(b" "):
                self.messages.append(await reader.readexactly(int(count)))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(tmp_path / "blog", ThreadPoolExecutor(2))
    yield made
    await made.close()


@asynccontextmanager
async def outlet(
    journal: Journal, url: str, context: ssl.SSLContext | None = None, reach: Reach | None = None
) -> AsyncIterator[Outlet]:
    tls = context or ssl.create_default_context()
    made = Outlet(Drain(1, "blog", url, ""), journal, tls, reach=reach, first=0.01)
    try:
        yield made
    finally:
        await made.close()


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not check():
            await asyncio.sleep(0.005)


def test_a_line_becomes_a_syslog_message_with_its_length_before_it() -> None:
    assert message(LINE, "blog") == MESSAGE
    assert framed([LINE, LINE], "blog") == (b"%d " % len(MESSAGE) + MESSAGE) * 2
    own = stored("2026-11-22T12:00:00.123456789+00:00", "-" * 13, "mothership[api]", "Release v1")
    assert message(own, "blog") == b"<45>1 2026-11-22T12:00:00.123456+00:00 blog mothership api - - Release v1\n"


async def test_lines_arrive_over_tcp_and_again_after_the_listener_was_away(journal: Journal) -> None:
    listener = Listener()
    await listener.open()
    async with outlet(journal, f"syslog://127.0.0.1:{listener.port}") as drain:
        journal.put(LINE)
        await until(lambda: listener.messages == [MESSAGE])
        await listener.close()
        await asyncio.sleep(0.05)
        journal.put(LINE.replace("200", "first"))
        journal.put(LINE.replace("200", "second"))
        await until(lambda: drain.report.trouble)
        await listener.open()
        await until(lambda: any(b"second" in each for each in listener.messages))
        await until(lambda: any(b"takes lines again" in each for each in listener.messages))
        texts = [each.rsplit(b": ", 1)[1] for each in listener.messages if b"web.1" in each]
        assert texts == [b"200\n", b"first\n", b"second\n"] and drain.report.trouble == ""
    await listener.close()
    told = await journal.find(Query(words=("mothership[drain]",)))
    assert len(told) == 2 and "takes no lines: " in told[0] and "takes lines again" in told[1]


def certificate(folder: Path) -> tuple[Path, Path]:
    key, made = folder / "key.pem", folder / "cert.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-keyout", str(key), "-out", str(made), "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*argv, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return key, made


async def test_lines_arrive_over_tls_and_only_where_the_certificate_is_trusted(
    journal: Journal, tmp_path: Path
) -> None:
    key, made = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    listener = Listener()
    await listener.open(context)
    url = f"syslog+tls://127.0.0.1:{listener.port}"
    async with outlet(journal, url) as strange:
        journal.put(LINE)
        await until(lambda: strange.report.trouble == "its certificate is not trusted")
        assert listener.messages == []
    async with outlet(journal, url, ssl.create_default_context(cafile=str(made))):
        journal.put(LINE)
        await until(lambda: MESSAGE in listener.messages)
    await listener.close()


@asynccontextmanager
async def collector(answers: list[int]) -> AsyncIterator[tuple[str, list[web.Request], list[bytes]]]:
    """An HTTP server that answers with these statuses, then with 204; its port, requests and bodies."""
    requests, bodies = list[web.Request](), list[bytes]()

    async def take(request: web.Request) -> web.Response:
        requests.append(request)
        bodies.append(await request.read())
        return web.Response(status=answers.pop(0) if answers else 204)

    app = web.Application()
    app.router.add_post("/in", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}", requests, bodies
    finally:
        await runner.cleanup()


async def test_lines_are_posted_as_logplex_does_and_again_after_a_failure(journal: Journal) -> None:
    async with (
        collector([503, 429]) as (place, requests, bodies),
        outlet(journal, f"http://ada:s3cret@{place}/in?key=k") as drain,
    ):
        journal.put(LINE)
        journal.put(LINE)
        await until(lambda: drain.report.sent >= 2)
        assert bodies[:3] == [framed([LINE, LINE], "blog")] * 3
        headers = requests[2].headers
        assert headers["Content-Type"] == "application/logplex-1" and headers["Logplex-Msg-Count"] == "2"
        assert headers["Authorization"].startswith("Basic ") and requests[2].query["key"] == "k"
    told = await journal.find(Query(words=("mothership[drain]",)))
    assert told and not any("s3cret" in line or "key=k" in line for line in told)


async def test_what_a_drain_refuses_is_dropped_and_counted_and_the_next_is_tried(journal: Journal) -> None:
    async with collector([400]) as (place, _, bodies), outlet(journal, f"http://{place}/in") as drain:
        journal.put(LINE)
        await until(lambda: drain.report.dropped == 1)
        journal.put(LINE.replace("200", "next"))
        await until(lambda: any(b"next" in body for body in bodies) and drain.report.sent)
        assert (drain.report.dropped, sum(b"next" in body for body in bodies)) == (1, 1)


async def test_a_drain_that_is_away_costs_a_bounded_queue_and_is_told_what_it_missed(journal: Journal) -> None:
    listener = Listener()
    await listener.open()
    await listener.close()
    async with outlet(journal, f"syslog://127.0.0.1:{listener.port}") as drain:
        journal.put(LINE)
        await until(lambda: drain.report.trouble)
        for number in range(QUEUE + 500):
            journal.put(LINE.replace("200", str(number)))
        assert drain.report.dropped >= 500
        await listener.open()
        told = [" takes no lines", " takes lines again"]
        await until(lambda: len(listener.messages) + drain.report.dropped == QUEUE + 501 + len(told) + 1)
        assert sum(b"lines were dropped here" in each for each in listener.messages) == 1
    await listener.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "logs.example.com",
        "ftp://example.com",
        "https://",
        "syslog://example.com/path",
        "syslog://u:p@example.com:5",
        "https://example.com:99999/",
        "https://example.com/a b",
        "https://exämple.com/",
        "https://example.com/" + "a" * 3000,
        "http://[::1",
    ],
)
def test_what_is_no_drain_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        address(url)


def test_what_may_be_secret_in_a_url_is_not_shown() -> None:
    assert masked("https://ada:s3cret@example.com:1/in?key=k&b=c") == "https://ada:***@example.com:1/in?key=***&b=***"
    assert masked("https://token@example.com/in") == "https://***@example.com/in"
    assert masked("syslog://[::1]:514") == "syslog://[::1]:514"
    assert address("syslog://logs.example.com").port == 514
    assert address("https://a%40b:c%2Fd@example.com/x") == address("https://a%40b:c%2Fd@example.com/x")
    assert (address("https://a%40b:c%2Fd@e.com/").user, address("https://a:c%2Fd@e.com/").password) == ("a@b", "c/d")


async def test_drains_are_kept_and_go_with_their_app(tmp_path: Path, journal: Journal) -> None:
    store = Store(tmp_path)
    apps, drains = Apps(store), Drains(store)
    app = apps.create("blog", Accounts(store).add_user("ada"))
    outlets = Outlets(lambda name: journal, drains)
    listener = Listener()
    await listener.open()
    url = f"syslog://127.0.0.1:{listener.port}"
    drain = await outlets.add("blog", url)
    with pytest.raises(Conflict):
        await outlets.add("blog", url)
    journal.put(LINE)
    await until(lambda: listener.messages == [MESSAGE])
    await outlets.close()
    again = Outlets(lambda name: journal, drains)
    again.open()
    journal.put(LINE)
    await until(lambda: len(listener.messages) == 2)
    assert [(found, report.sent) for found, report in again.all("blog")] == [(drain, 1)]
    await again.forget("blog")
    apps.delete(app)
    assert drains.all() == []
    await listener.close()


# where drains may lead


class Names:
    """A DNS that says one thing first and another later."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)

    async def __call__(self, host: str, port: int) -> list[str]:
        return [self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]]


async def networks() -> list[str]:
    return ["10.100.0.0/16", "172.17.0.0/16", "fd00:77::/64"]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "this server itself"),
        ("127.8.8.8", "this server itself"),
        ("::1", "this server itself"),
        ("::ffff:127.0.0.1", "this server itself"),
        ("64:ff9b::7f00:1", "this server itself"),
        ("2002:7f00:1::", "this server itself"),
        ("0.0.0.0", "this server itself"),
        ("::", "this server itself"),
        ("203.0.113.7", "this server itself"),
        ("10.100.3.4", "containers"),
        ("172.17.0.1", "containers"),
        ("::ffff:172.17.0.1", "containers"),
        ("fd00:77::5", "containers"),
        ("169.254.169.254", "metadata"),
        ("fe80::1%eth0", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("224.0.0.1", "no address"),
        ("255.255.255.255", "no address"),
        ("0.1.2.3", "no address"),
        ("10.1.2.3", ""),
        ("192.168.1.5", ""),
        ("172.20.1.5", ""),
        ("198.51.100.9", ""),
        ("2001:db8::1", ""),
        ("fd12::5", ""),
    ],
)
async def test_a_drain_leads_outside_or_into_a_companys_own_networks(address: str, why: str) -> None:
    found = objection(address, await networks(), [ip_address("203.0.113.7")])
    assert why in found and bool(why) == bool(found)


def test_the_machines_own_addresses_are_known() -> None:
    shown = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    assert {ip_address(each) for each in [*shown, "127.0.0.1"]} <= own_addresses()


@pytest.mark.parametrize("scheme", ["syslog", "syslog+tls", "http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "logs.example.com"])
async def test_only_an_admins_drain_reaches_the_server_itself(
    tmp_path: Path, journal: Journal, scheme: str, host: str
) -> None:
    """However its name was resolved when it was added."""
    store = Store(tmp_path)
    Apps(store).create("blog", Accounts(store).add_user("ada"))
    listener = Listener()
    await listener.open()
    names = Names("127.0.0.1") if host != "logs.example.com" else Names("198.51.100.9", "127.0.0.1")
    outlets = Outlets(lambda name: journal, Drains(store), reach=Reach(networks, lookup=names))
    url = f"{scheme}://{host}:{listener.port}"
    if host != "logs.example.com":
        with pytest.raises(NotAllowed, match="this server itself"):
            await outlets.add("blog", url)
        Drains(store).add("blog", url)  # as an earlier version let it in
        outlets.open()
    else:
        await outlets.add("blog", url)
    journal.put(LINE)
    await until(lambda: "only admins" in outlets.all("blog")[0][1].trouble)
    assert not listener.writers
    await outlets.add("blog", f"syslog://[::ffff:127.0.0.1]:{listener.port}", anywhere=True)
    journal.put(LINE)
    await until(lambda: MESSAGE in listener.messages)
    await outlets.close()
    await listener.close()


async def test_a_connection_goes_to_the_address_that_was_looked_at(journal: Journal) -> None:
    """No resolver knows the name: only what the look-up said can have led to the listener."""
    async with collector([]) as (place, _, bodies):
        port = int(place.rpartition(":")[2])
        reach = Reach(networks, proxy_port=port, lookup=Names("127.0.0.1"))
        async with outlet(journal, f"http://nowhere.invalid:{port}/in", reach=reach) as drain:
            journal.put(LINE)
            await until(lambda: drain.report.sent)
    assert bodies == [framed([LINE], "blog")]
