"""The HTTP door: tokens and where they may travel, and what git's client does with HTTP."""

import asyncio
import base64
import gzip
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from receiver import access
from tests.unit.receiver_house import TOKEN, House, Ran, opened
from tests.unit.receiver_packs import COMMIT, GOOD, named, update

ELSEWHERE = "X-Forwarded-For: 203.0.113.9"
RESULT = "Content-Type: application/x-git-receive-pack-request"
PUSH = update(named("commit", COMMIT)) + GOOD


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as house:
        yield house


async def curl(house: House, path: str, *words: str, stdin: bytes = b"", user: str = f"any:{TOKEN}") -> Ran:
    """Head and body of a response."""
    login = ("-u", user) if user else ()
    return await house.run("curl", "-si", *login, *words, f"http://127.0.0.1:{house.http_port}{path}", stdin=stdin)


async def advertised(house: House, *words: str, user: str = f"any:{TOKEN}") -> bytes:
    return (await curl(house, "/web.git/info/refs?service=git-receive-pack", *words, user=user)).out


async def test_healthz_needs_no_token(house: House) -> None:
    heard = await curl(house, "/healthz", "-H", ELSEWHERE, user="")
    assert heard.out.startswith(b"HTTP/1.1 200")
    assert heard.out.endswith(b"\r\n\r\nok\n")


async def test_without_a_token_the_client_is_asked_for_one(house: House) -> None:
    heard = await advertised(house, user="")
    assert heard.startswith(b"HTTP/1.1 401")
    assert b'WWW-Authenticate: Basic realm="Mothership"' in heard
    assert b"tokens:create" in heard


@pytest.mark.parametrize("user", [f"any:{TOKEN}", f"{TOKEN}:", f"{TOKEN}:x-oauth-basic", f":{TOKEN}"])
async def test_the_token_may_be_the_password_or_the_user_name(house: House, user: str) -> None:
    assert (await advertised(house, user=user)).startswith(b"HTTP/1.1 200")


async def test_a_bearer_s_token_is_taken_too(house: House) -> None:
    assert (await advertised(house, "-H", f"Authorization: Bearer {TOKEN}", user="")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic " + base64.b64encode(b"any:wrong").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic ???",
        "Basic",
        "Bearer wrong",
        "Digest username=x",
    ],
)
async def test_a_wrong_token_is_not_valid(house: House, authorization: str) -> None:
    heard = await advertised(house, "-H", f"Authorization: {authorization}", user="")
    assert heard.startswith(b"HTTP/1.1 401")


async def test_git_says_what_is_wrong_with_the_token(house: House) -> None:
    ran = await house.run("git", "ls-remote", house.http_url("web", "wrong"))
    assert ran.code == 128
    assert "Authentication failed" in ran.err


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([ELSEWHERE], 403),
        ([ELSEWHERE, "X-Forwarded-Proto: http"], 403),
        ([ELSEWHERE, "X-Forwarded-Proto: https"], 200),
        (["X-Forwarded-For: 127.0.0.1"], 200),
        (["X-Forwarded-For: ::1"], 200),
        (["X-Forwarded-For: 127.0.0.1, 203.0.113.9"], 403),
        (["X-Forwarded-For: 127.0.0.1", ELSEWHERE], 403),
        (["X-Forwarded-For: 203.0.113.9, 127.0.0.1"], 200),
        (["X-Forwarded-For: nonsense"], 403),
        ([ELSEWHERE, "X-Forwarded-Proto: https, http"], 403),
    ],
)
async def test_tokens_travel_in_clear_on_this_machine_only(house: House, headers: list[str], status: int) -> None:
    flags = [flag for header in headers for flag in ("-H", header)]
    assert (await advertised(house, *flags)).startswith(f"HTTP/1.1 {status}".encode())


async def test_the_refusal_comes_before_a_token_was_sent_and_git_prints_it(house: House) -> None:
    heard = await advertised(house, "-H", ELSEWHERE, user="")
    assert heard.startswith(b"HTTP/1.1 403")
    assert b"WWW-Authenticate" not in heard
    ran = await house.run("git", "-c", f"http.extraHeader={ELSEWHERE}", "ls-remote", house.http_url("web"))
    assert ran.code == 128
    assert "remote: This server doesn't take access tokens over plain HTTP" in ran.err


async def test_an_admin_may_allow_tokens_in_clear(tmp_path: Path) -> None:
    async with opened(tmp_path, insecure_tokens=True) as house:
        assert (await advertised(house, "-H", ELSEWHERE)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_this_machine(address: str) -> None:
    assert access.this_machine(address)


def test_an_interface_s_address_is_this_machine() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; asks the routing table for our own address
        assert access.this_machine(probe.getsockname()[0])


@pytest.mark.parametrize(
    "address", ["203.0.113.9", "8.8.8.8", "0.0.0.0", "::", "224.0.0.1", "2001:db8::1", "", "x", "1"]
)
def test_others_are_not_this_machine(address: str) -> None:
    assert not access.this_machine(address)


async def test_a_large_push_comes_in_chunks_after_a_probe(house: House) -> None:
    work = await house.clone()
    (work / "big").write_bytes(os.urandom(3 << 20))
    head = await house.commit(work, "big")
    command = ("git", "-c", "http.postBuffer=65536", "push", "-q", house.http_url("web"), "main")
    ran = await house.run(*command, cwd=work, env={"GIT_CURL_VERBOSE": "1"})
    assert ran.code == 0, ran.err
    assert "Content-Length: 4" in ran.err
    assert "Transfer-Encoding: chunked" in ran.err
    assert house.ref() == head


async def test_the_probe_is_answered_with_nothing(house: House) -> None:
    await advertised(house)
    heard = await curl(house, "/web.git/git-receive-pack", "-H", RESULT, "--data-binary", "0000")
    assert heard.out.startswith(b"HTTP/1.1 200")
    assert b"Content-Type: application/x-git-receive-pack-result" in heard.out
    assert not house.pushes.pushes


async def test_a_client_that_waits_for_100_continue_gets_it(house: House) -> None:
    await advertised(house)
    heard = await curl(
        house, "/web.git/git-receive-pack", "-H", RESULT, "-H", "Expect: 100-continue", "--expect100-timeout", "30",
        "--data-binary", "@-", stdin=PUSH,
    )  # fmt: skip
    assert heard.out.startswith(b"HTTP/1.1 100 Continue")
    assert b"ok refs/heads/main" in heard.out


@pytest.mark.parametrize("flags", [("--http1.0",), ("-H", "Transfer-Encoding: chunked"), ("-T-", "-XPOST")])
async def test_other_shapes_of_the_same_request_work(house: House, flags: tuple[str, ...]) -> None:
    await advertised(house)
    data = () if "-T-" in flags else ("--data-binary", "@-")
    heard = await curl(house, "/web.git/git-receive-pack", "-H", RESULT, *data, *flags, stdin=PUSH)
    assert b"ok refs/heads/main" in heard.out


async def test_a_zipped_request_is_unzipped(house: House) -> None:
    await advertised(house)
    zipped = ("-H", "Content-Encoding: gzip", "--data-binary", "@-")
    heard = await curl(house, "/web.git/git-receive-pack", "-H", RESULT, *zipped, stdin=gzip.compress(PUSH))
    assert b"ok refs/heads/main" in heard.out


async def test_git_s_own_zipped_negotiation_works(house: House) -> None:
    work = await house.clone()
    await house.push(work, "http")
    await house.git("clone", "-q", house.http_url("web"), "again")
    for number in range(40):
        await house.commit(house.path / "again", f"mine {number}")
    for name in ("one", "two", "three", "four"):
        await house.git("checkout", "-q", "-B", name, cwd=work)
        head = await house.commit(work, f"theirs on {name}")
    await house.git("push", "-q", "--all", house.http_url("web"), cwd=work)
    command = ("git", "-c", "protocol.version=0", "fetch", "-q")
    ran = await house.run(*command, cwd=house.path / "again", env={"GIT_CURL_VERBOSE": "1"})
    assert ran.code == 0, ran.err
    assert "Content-Encoding: gzip" in ran.err
    assert await house.git("rev-parse", "origin/four", cwd=house.path / "again") == head


@pytest.mark.parametrize("version", ["0", "1", "2"])
async def test_every_protocol_version_fetches(house: House, version: str) -> None:
    work = await house.clone()
    await house.push(work, "http")
    target = house.path / f"v{version}"
    command = ("git", "-c", f"protocol.version={version}", "clone", "-q", house.http_url("web"), str(target))
    ran = await house.run(*command, env={"GIT_TRACE_PACKET": "1"})
    assert ran.code == 0, ran.err
    assert (f"< version {version}" in ran.err) == (version != "0")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/web.git/info/refs", 400),
        ("/web.git/info/refs?service=git-upload-archive", 400),
        ("/web.git/info/refs?service=git-receive-pack%20--help", 400),
        ("/..%2f..%2fetc/info/refs?service=git-upload-pack", 400),
        ("/WEB.git/info/refs?service=git-upload-pack", 400),
        ("/web.git/HEAD", 404),
        ("/web.git/git-upload-pack", 405),
        ("/", 404),
    ],
)
async def test_what_isn_t_git_s_smart_protocol_is_refused(house: House, path: str, status: int) -> None:
    heard = await curl(house, path, "--path-as-is")
    assert heard.out.startswith(f"HTTP/1.1 {status}".encode())
    assert not list(house.settings.data.glob("repos/*"))


async def test_a_form_from_a_browser_is_no_push(house: House) -> None:
    await advertised(house)
    heard = await curl(house, "/web.git/git-receive-pack", "-H", "Content-Type: text/plain", "--data-binary", "0000")
    assert heard.out.startswith(b"HTTP/1.1 415")


@pytest.mark.parametrize(
    "body", [b"zz\r\n0000\r\n", b"400\r\n" + PUSH[:100], b"5\r\n0000\r\n"], ids=["no size", "cut off", "wrong size"]
)
async def test_a_body_that_breaks_off_moves_nothing_and_leaves_nothing(house: House, body: bytes) -> None:
    await advertised(house)
    login = base64.b64encode(f"x:{TOKEN}".encode()).decode()
    head = f"POST /web.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\n{RESULT}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", house.http_port)
    writer.write(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    await asyncio.sleep(0.1)
    writer.close()
    await house.settles(lambda: not house.children() and not house.quarantines())
    assert not house.pushes.pushes


async def test_a_broken_zip_moves_nothing_and_leaves_nothing(house: House) -> None:
    await advertised(house)
    zipped = ("-H", "Content-Encoding: gzip", "--data-binary", "@-", "-m", "5")
    await curl(house, "/web.git/git-receive-pack", "-H", RESULT, *zipped, stdin=gzip.compress(PUSH)[:-40])
    await house.settles(lambda: not house.children() and not house.quarantines())
    assert not house.pushes.pushes


async def test_a_client_that_leaves_in_mid_fetch_leaves_no_process(house: House) -> None:
    work = await house.clone()
    (work / "big").write_bytes(os.urandom(8 << 20))
    await house.commit(work, "big")
    await house.push(work, "http")
    client = await house.start("git", "clone", "-q", house.http_url("web"), "again")
    await house.settles(house.children)
    os.killpg(client.pid, 9)
    await house.settles(lambda: not house.children())
    assert await client.wait() == -9 and not house.children()


async def test_git_that_fails_without_a_word_is_an_error(house: House) -> None:
    bare = await house.pushes.repos.create("web")
    (bare / "HEAD").write_text("nonsense")
    heard = await advertised(house)
    assert heard.startswith(b"HTTP/1.1 500")
    assert str(bare).encode() not in heard
