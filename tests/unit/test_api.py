"""The HTTP API: every verb's path, its answers in both shapes, and its failures as problems."""

import asyncio
import base64
import contextlib
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import structlog
from yarl import URL

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.table import VERBS
from mothership.commands.verb import Verb, positional, say
from mothership.commands.web import follows, method, path, speaks_json
from mothership.errors import (
    BuildFailed,
    Conflict,
    EngineUnavailable,
    Invalid,
    MothershipError,
    NotFound,
    Refused,
    ReleaseFailed,
)
from mothership.store import Apps, Store
from tests.unit import test_commands
from tests.unit.api_door import Door, opened

house = test_commands.house
ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}
ERRORS: dict[str, Exception] = {
    "invalid": Invalid("No.", "Do it differently.", reason="no good"),
    "refused": Refused("No."),
    "absent": NotFound("No."),
    "conflict": Conflict("No."),
    "build": BuildFailed("No."),
    "release": ReleaseFailed("No."),
    "engine": EngineUnavailable("No."),
    "other": MothershipError("No."),
    "bug": RuntimeError("the secret is hunter2"),
    "lost": ConnectionResetError("hunter2"),
}


@dataclass(frozen=True)
class Nothing:
    pass


@dataclass(frozen=True)
class FailArgs:
    how: str = positional("HOW")


@dataclass(frozen=True)
class Odd:
    """Every kind of field."""

    text: str = positional("TEXT")
    many: tuple[str, ...] = positional("MANY", many=True, default=())
    flag: bool = False
    count: int = 0
    share: float = 0.0


class Life:
    """A verb that goes on until it is cancelled."""

    def __init__(self) -> None:
        self.began, self.cancelled = asyncio.Event(), asyncio.Event()

    async def perform(self, house: House, caller: Session, args: Nothing) -> None:
        say(caller, "one")
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


async def fail(house: House, caller: Session, args: FailArgs) -> None:
    say(caller, "so far, so good")
    raise ERRORS[args.how]


async def echo(house: House, caller: Session, args: Odd) -> int:
    say(caller, repr(args))
    caller.write_error(b"half a line")
    return 3


async def flood(house: House, caller: Session, args: Nothing) -> None:
    for _ in range(100):
        caller.write(b"x" * (1 << 20) + b"\n")
        await caller.drain()


@pytest.fixture
def life() -> Life:
    return Life()


@pytest.fixture
async def door(house: House, life: Life) -> AsyncIterator[Door]:
    verbs: tuple[Verb[Any], ...] = (
        Verb("fail", "Fail.", FailArgs, fail, reads=True),
        Verb("echo", "Echo.", Odd, echo),
        Verb("echo:read", "Echo.", Odd, echo, reads=True),
        Verb("life", "Live.", Nothing, life.perform, reads=True),
        Verb("flood", "Flood.", Nothing, flood, reads=True),
    )
    async with opened(house, *verbs) as door:
        yield door


async def test_an_app_is_made_configured_and_listed(door: Door) -> None:
    made = await door.post("/apps/create", {"name": "blog"})
    assert made.status == 200 and made.json["exit"] == 0
    assert made.json["lines"][0].startswith("Created blog.") and made.json["errors"] == []
    done = await door.post("/apps/blog/config/set", {"pairs": ["GREETING=hi there", "B=2"]})
    assert done.status == 200, done.text
    listed = await door.get("/apps/blog/config")
    assert [row["value"] for row in listed.json["data"]] == ["2", "hi there"]
    assert (await door.get("/apps/blog/config/get?key=GREETING")).json["lines"] == ["hi there"]
    assert (await door.get("/apps")).json["data"][0]["app"] == "blog"
    assert (await door.get("/whoami")).json["data"] == {"user": "ada", "admin": False}


@pytest.mark.parametrize(
    "verb", [v for v in VERBS.values() if speaks_json(v) and not v.app], ids=lambda verb: verb.name
)
async def test_what_speaks_json_answers_with_data(house: House, verb: Verb[Any]) -> None:
    async with opened(house, user="ada") as door:
        answer = await door.call(method(verb), path(verb))
        assert answer.status == 403 if verb.admin else "data" in answer.json


async def test_every_verb_has_a_path_of_its_own() -> None:
    assert len({path(verb) for verb in VERBS.values()}) == len(VERBS)


async def test_every_verb_is_behind_the_token_and_takes_one_method(door: Door) -> None:
    for verb in VERBS.values():
        at = path(verb).replace("{app}", "blog")
        wrong = await door.call("DELETE", at)
        assert wrong.status == 405 and wrong.headers["Allow"] == method(verb)
        stranger = await door.call(method(verb), at, headers={"Authorization": ""})
        assert stranger.status == 401, verb.name


async def test_the_audit_trail_has_the_door_and_one_format(house: House) -> None:
    async with opened(house, user="root", admin=True) as door:
        await door.post("/apps/create", {"name": "blog"})
        listed = (await door.get("/audit")).json["data"]
        assert [(row["action"], row["door"]) for row in listed] == [("apps:create", "api")]
        assert (await door.get("/audit?lines=true")).status == 400


async def test_a_token_made_for_less_may_do_less(house: House, door: Door) -> None:
    await door.post("/apps/create", {"name": "blog"})
    made = await door.post("/tokens/create", {"name": "ci", "role": "viewer", "only": "blog"})
    less = Door(door.client, made.json["lines"][0])
    assert (await less.get("/apps/blog/releases")).status == 200
    refused = await less.post("/apps/blog/config/set", {"pairs": ["A=1"]})
    assert refused.status == 403 and "deployer" in refused.json["detail"]
    assert (await less.post("/apps/create", {"name": "other"})).status == 403


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("invalid", 400), ("refused", 403), ("absent", 404), ("conflict", 409), ("other", 409), ("build", 422),
        ("release", 422), ("engine", 503), ("bug", 500), ("lost", 500),
    ],
)  # fmt: skip
async def test_an_error_is_a_problem(door: Door, how: str, status: int) -> None:
    answer = await door.get(f"/fail?how={how}")
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json["status"] == status and answer.json["type"].startswith("urn:mothership:problem:")
    assert {"title", "detail", "hint", "reason"} < set(answer.json)
    if how == "invalid":
        assert (answer.json["detail"], answer.json["hint"], answer.json["reason"]) == (
            "No.",
            "Do it differently.",
            "no good",
        )


async def test_a_bug_is_its_reference_only(door: Door) -> None:
    answer = await door.get("/fail?how=bug")
    assert "reference" in answer.json["detail"] and "hunter2" not in answer.text and "Traceback" not in answer.text


async def test_what_a_url_says_never_reaches_the_log(door: Door) -> None:
    with structlog.testing.capture_logs() as logged:
        await door.get("/fail?how=bug&token=mst_hush")
        await door.get("/fail?how=bug", headers={"Authorization": "Bearer mst_hush"})
        await door.get("/fail?how=bug")
    assert any(entry["event"] == "bug" for entry in logged)
    assert "how" not in str([entry["where"] for entry in logged]) and "mst_" not in str(logged)


async def test_another_users_app_looks_like_no_app(house: House, door: Door) -> None:
    house.apps.create("theirs", house.accounts.add_user("bob"))
    theirs, none = await door.get("/apps/theirs/config"), await door.get("/apps/nope/config")
    assert theirs.status == none.status == 404
    assert theirs.text.replace("theirs", "X") == none.text.replace("nope", "X")


async def test_a_listing_is_never_an_old_one(house: House, door: Door) -> None:
    """Apps are read again when something was written: by us, by another process, or in vain."""
    ada, other = house.accounts.user("ada"), Apps(Store(house.settings.data))

    async def names() -> list[str]:
        return [row["app"] for row in (await door.get("/apps")).json["data"]]

    assert await names() == []
    house.apps.create("one", ada)
    assert await names() == ["one"]
    other.create("two", ada)
    assert await names() == ["one", "two"]
    with contextlib.suppress(RuntimeError), house.accounts.all_or_nothing():
        house.apps.create("three", ada)
        assert await names() == ["one", "three", "two"]
        raise RuntimeError
    assert await names() == ["one", "two"]
    other.delete(other.get("one"))
    assert await names() == ["two"]


@pytest.mark.parametrize(
    "name", ["..%2f..%2fetc", "BLOG", "a%00b", "%F0%9F%9A%80", "a%2Fconfig", "x", "%ff", "blog%0a"]
)
async def test_an_apps_name_is_checked(door: Door, name: str) -> None:
    at = URL(f"http://door/api/v1/apps/{name}/config", encoded=True)
    async with door.client.get(at, headers=door.login) as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    "at", ["/nope", "/apps/blog", "/apps//", "/config", "/apps/blog/config/", "/apps/blog/config/nope", "/", "//apps"]
)
async def test_an_unknown_path_is_a_problem(door: Door, at: str) -> None:
    answer = await door.get(at)
    assert answer.status == 404 and answer.json["type"] == "urn:mothership:problem:unknown-path"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b'{"name": NaN}', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b'{"nope": 1}', 400),
        (b'{"name": 1}', 400),
        (b'{"name": "a\\u0000b"}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b"{}", 400),
        (b"", 400),
        (b'{"name": "' + b"x" * (1 << 20) + b'"}', 413),
        (b'{"name": "' + b"x" * (200 << 10) + b'"}', 400),
    ],
)
async def test_a_bad_body_is_told(door: Door, body: bytes, status: int) -> None:
    answer = await door.post("/apps/create", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == status and answer.json["status"] == status


async def test_a_body_that_isnt_json_is_told(door: Door) -> None:
    assert (await door.post("/apps/create", data=b'{"name": "blog"}')).status == 415
    zipped = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    sent = gzip.compress(b'{"name": "' + b" " * (4 << 20) + b'"}')
    assert (await door.post("/apps/create", data=sent, headers=zipped)).status == 413
    assert (await door.post("/apps/create", data=b"nonsense", headers=zipped)).status == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"many": "x"}, {"many": [1]}, {"flag": 1}, {"flag": "true"}, {"count": 1.5}, {"count": True}, {"count": "1"},
        {"count": 2**31}, {"share": 1e300}, {"share": "1"}, {"share": False}, {"text": None}, {"app": "blog"},
        {"json": True},
    ],
)  # fmt: skip
async def test_a_field_of_another_kind_is_told(door: Door, wrong: dict[str, Any]) -> None:
    answer = await door.post("/echo", {"text": "x"} | wrong)
    assert answer.status == 400 and next(iter(wrong)) in answer.json["detail"]


async def test_arguments_arrive_as_they_are(door: Door) -> None:
    said = {"text": "--json; $(id)", "many": ["-a", ""], "flag": True, "count": -1, "share": 2}
    expected = "Odd(text='--json; $(id)', many=('-a', ''), flag=True, count=-1, share=2.0)"
    posted = await door.post("/echo", said)
    assert posted.json == {"exit": 3, "lines": [expected], "errors": ["half a line"]}
    query = [("text", "--json; $(id)"), ("many", "-a"), ("many", ""), ("flag", "true"), ("count", "-1"), ("share", "2")]
    assert (await door.get("/echo/read", params=query)).json == posted.json


@pytest.mark.parametrize("query", ["text=a&text=b", "text=a&flag=yes", "text=a&count=x", "text=a&share=nan", ""])
async def test_a_bad_query_is_told(door: Door, query: str) -> None:
    assert (await door.get(f"/echo/read?{query}")).status == 400


async def test_a_changing_request_takes_no_query(door: Door) -> None:
    assert (await door.post("/apps/create?name=blog", {"name": "blog"})).status == 400


async def test_every_verb_streams(door: Door) -> None:
    answer = await door.stream("POST", "/echo", json={"text": "x"})
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    expected = "Odd(text='x', many=(), flag=False, count=0, share=0.0)"
    assert answer.events == [
        ("line", {"text": expected, "stream": "stdout"}),
        ("line", {"text": "half a line", "stream": "stderr"}),
        ("end", {"exit": 3}),
    ]
    assert [name for name, _ in (await door.stream("GET", "/apps")).events] == ["line", "end"]


@pytest.mark.parametrize(("how", "code"), [("invalid", 2), ("release", 1), ("bug", 70)])
async def test_a_streams_end_says_what_went_wrong(door: Door, how: str, code: int) -> None:
    events = (await door.stream("GET", f"/fail?how={how}")).events
    assert events[0][1]["text"] == "so far, so good"
    name, data = events[-1]
    assert name == "end" and data["exit"] == code and data["problem"]["type"].startswith("urn:mothership:")
    assert "hunter2" not in str(events)


async def test_a_wrong_request_for_a_stream_is_a_problem(door: Door) -> None:
    assert (await door.stream("GET", "/apps/NOPE/logs")).status == 400
    assert (await door.stream("GET", "/fail")).status == 400


async def test_lines_come_while_it_happens_and_a_client_that_leaves_cancels_it(door: Door, life: Life) -> None:
    accept = door.login | {"Accept": "text/event-stream"}
    async with door.client.get("http://door/api/v1/life", headers=accept) as response:
        assert await response.content.readline() == b"event: line\n"
        assert not life.cancelled.is_set()
        response.close()
    async with asyncio.timeout(10):
        await life.cancelled.wait()


async def test_a_token_that_is_taken_away_ends_the_stream_it_opened(house: House, door: Door, life: Life) -> None:
    accept = door.login | {"Accept": "text/event-stream"}
    async with door.client.get("http://door/api/v1/life", headers=accept) as response:
        await response.content.readline()
        house.accounts.revoke_token(house.accounts.user("ada"), "laptop")
        async with asyncio.timeout(5):
            await life.cancelled.wait()
            with contextlib.suppress(aiohttp.ClientError):
                await response.read()
    assert (await door.get("/whoami")).status == 401


async def test_a_client_that_leaves_cancels_a_verb_that_does_not_stream(door: Door, life: Life) -> None:
    request = asyncio.ensure_future(door.get("/life"))
    await life.began.wait()
    request.cancel()
    async with asyncio.timeout(10):
        assert await life.cancelled.wait()


async def test_more_output_than_an_answer_holds_is_refused_and_a_stream_takes_it(door: Door) -> None:
    answer = await door.get("/flood")
    assert answer.status == 400 and "text/event-stream" in answer.json["hint"]
    taken = 0
    accept = door.login | {"Accept": "text/event-stream"}
    async with door.client.get("http://door/api/v1/flood", headers=accept) as response:
        async for piece in response.content.iter_chunked(1 << 20):
            taken += len(piece)
    assert taken > 100 << 20


async def test_only_a_stream_follows(house: House, door: Door) -> None:
    await door.post("/apps/create", {"name": "blog"})
    for verb in (verb for verb in VERBS.values() if follows(verb)):
        query = "follow=true&build=1" if verb.name == "builds:output" else "follow=true"
        answer = await door.get(f"/apps/blog/{verb.name.replace(':', '/')}?{query}")
        assert answer.status == 400 and "stream" in answer.json["detail"]


async def test_the_token_is_a_bearers_or_a_password(door: Door) -> None:
    token = door.login["Authorization"].removeprefix("Bearer ")
    basic = "Basic " + base64.b64encode(f"any:{token}".encode()).decode()
    assert (await door.get("/apps", headers={"Authorization": basic})).status == 200
    answer = await door.get("/apps", headers={"Authorization": "Bearer wrong"})
    assert answer.status == 401 and answer.json["detail"] == "That access token is not valid."
    assert [c.split(" ")[0] for c in answer.headers.getall("WWW-Authenticate")] == ["Bearer", "Basic"]


@pytest.mark.parametrize(
    "login", [b"Bearer \xff", b"Bearer \xc3\xa9", b"Basic \xff", "Basic é".encode(), b"Basic", b"\xff"]
)
async def test_a_token_that_is_no_text_is_just_wrong(house: House, door: Door, login: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(str(house.settings.data / "run" / "http.sock"))
    writer.write(b"GET /api/v1/apps HTTP/1.1\r\nHost: x\r\nAuthorization: " + login + b"\r\n\r\n")
    assert b" 401 " in await reader.readline()
    writer.close()


async def test_a_key_that_is_no_text_is_told(door: Door) -> None:
    assert (await door.post("/keys/add", {"key": ["ssh-ed25519", "AAAA…"]})).status == 400


async def test_tokens_over_plain_http_from_another_machine_are_refused(door: Door) -> None:
    answer = await door.get("/apps", headers=ELSEWHERE)
    assert answer.status == 403 and "plain HTTP" in answer.json["detail"]
    assert (await door.get("/apps", headers=ELSEWHERE | {"X-Forwarded-Proto": "https"})).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_sites_page_changes_nothing(door: Door, site: str) -> None:
    assert (await door.post("/apps/create", {"name": "blog"}, headers={"Sec-Fetch-Site": site})).status == 403
    assert (await door.get("/apps")).json["data"] == []


async def test_the_description_needs_no_token(door: Door) -> None:
    answer = await door.call("GET", "/api/openapi.json", headers={"Authorization": ""})
    assert answer.status == 200 and answer.json["openapi"].startswith("3.1")
    assert (await door.call("POST", "/api/openapi.json")).status == 405


async def test_git_and_healthz_are_where_they_were(door: Door) -> None:
    assert (await door.call("GET", "/healthz")).text == "ok\n"
    assert (await door.call("GET", "/blog.git/info/refs")).status == 400
