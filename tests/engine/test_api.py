"""The HTTP API on a real server: operating an app by it, and requests that nobody would think of."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode, checks
from schemathesis.specs.openapi import checks as conformance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from mothership.commands.openapi import operation_id
from mothership.commands.table import VERBS
from mothership.commands.web import method
from mothership.commands.web import path as path_of
from tests.engine.server import Server, until
from tests.engine.test_client import mothership
from tests.engine.test_road import FILES
from tests.unit.test_listings import answer_schema, check

SPARED = {
    "apps_destroy": "its example would destroy the app that the other requests are about",
    "apps_rename": "its example would give that app another name",
    "stack_update": "each of its examples would make the stack anew, under the other tests",
}
EXAMPLES = 12
CHECKS = [
    checks.not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_schema_conformance,
]
FRAMING = ("Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "TE", "Host")
"""Headers that are HTTP's own: where they make no sense, the proxy answers, in words of its own."""

HOST = "mothership.localhost"
TOKEN = "api-f3a91c"
"""The name of the token that requests come with; none of them guesses it and revokes it."""


@dataclass(frozen=True)
class Client:
    """A user of the API, through the proxy."""

    base: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Host": HOST, "Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    def call(self, method: str, path: str, body: object = None, *, accept: str = "application/json") -> tuple[int, str]:
        data = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, "Accept": accept, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.base}{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership of its own: among the requests are some that every app of a server would feel."""
    with Server(tmp_path_factory.mktemp("api"), f"msta{worker_id}") as made:
        yield made


@pytest.fixture(scope="module")
def client(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client with a first app, `blog`."""
    folder = tmp_path_factory.mktemp("blog")
    server.commit(folder, FILES)
    pushed = server.push(folder, "blog")
    assert pushed.code == 0, pushed.text
    token = server.ssh(f"tokens:create {TOKEN}").stdout.strip()
    yield Client(f"http://127.0.0.1:{server.http_port}", token)


def test_an_app_is_operated_over_http(server: Server, client: Client) -> None:
    status, text = client.call("POST", "/api/v1/apps/blog/config/set", {"pairs": ["GREETING=by the API"]})
    assert status == 200, text
    assert "Serving v" in text and "by the API" in server.get("blog").body
    status, text = client.call("GET", "/api/v1/apps/blog/ps")
    assert status == 200 and json.loads(text)["data"][0]["process"] == "web.1"
    status, text = client.call("GET", "/api/v1/apps")
    assert [row["app"] for row in json.loads(text)["data"]] == ["blog"]


def test_run_has_its_exit_status_and_both_streams(client: Client) -> None:
    command = ["sh", "-c", "echo $GREETING; echo oh >&2; wc -c; exit 5"]
    status, text = client.call("POST", "/api/v1/apps/blog/run", {"argv": command})
    assert status == 200
    assert json.loads(text) == {"exit": 5, "lines": ["by the API", "0"], "errors": ["oh"]}


def test_a_release_streams_and_a_failing_one_is_a_problem_at_its_end(server: Server, client: Client) -> None:
    stream = "text/event-stream"
    status, text = client.call("POST", "/api/v1/apps/blog/ps/restart", {}, accept=stream)
    assert status == 200 and text.count("event: line\n") > 2 and text.endswith('event: end\ndata: {"exit": 0}\n\n')
    status, text = client.call("POST", "/api/v1/apps/blog/rollback", {"version": "v99"}, accept=stream)
    last = json.loads(text.strip().rpartition("data: ")[2])
    assert last["exit"] == 1 and last["problem"]["status"] == 404 and "v99" in last["problem"]["detail"]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_client_that_leaves_takes_its_command_along(server: Server, client: Client, accept: str) -> None:
    body = json.dumps({"argv": ["sleep", "600"]}).encode()
    sent = {**client.headers, "Accept": accept, "Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    with socket.create_connection(("127.0.0.1", server.http_port)) as connection:
        connection.sendall(f"POST /api/v1/apps/blog/run HTTP/1.1\r\n{head}\r\n".encode() + body)
        assert until(lambda: server.containers(app="blog", process="run"))
    assert until(lambda: not server.containers(app="blog", process="run"))


def test_the_log_is_followed_line_by_line(server: Server, client: Client) -> None:
    headers = {**client.headers, "Accept": "text/event-stream"}
    url = f"{client.base}/api/v1/apps/blog/logs?follow=true&lines=0&process=web"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as stream:
        server.get("blog", "/a-request-to-see")
        assert any(b"/a-request-to-see" in line for line in stream)


def test_config_edit_makes_one_release(
    server: Server, client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.git(folder, "init", "-q", "-b", "main")
    server.git(folder, "remote", "add", "mothership", server.remote("blog"))
    assert server.ssh("config:set blog GREETING=before GONE=1").returncode == 0
    editor = folder / "editor"
    editor.write_text('#!/bin/sh\nsed -i "/^GONE=/d; s/before/after/" "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    before = server.releases("blog")
    done = mothership(server, folder, "config:edit")
    assert done.returncode == 0, done.stderr
    assert len(server.releases("blog")) == len(before) + 1 and "after" in server.get("blog").body
    assert mothership(server, folder, "config:edit").stdout == "Nothing changed.\n"


def test_listings_have_the_types_that_they_promise(server: Server, client: Client) -> None:
    for verb in (verb for verb in VERBS.values() if verb.columns):
        path = path_of(verb).replace("{app}", "blog")
        status, text = client.call(method(verb), path, None if verb.reads else {})
        assert status == 200, text
        check(answer_schema(verb), json.loads(text))
        printed = json.loads(server.ssh(f"{verb.name} {'blog' if verb.app else ''} --json").stdout)
        check(answer_schema(verb), {"exit": 0, "data": printed})
        if verb.name in ("ps", "checks", "releases", "builds", "limits", "apps", "doctor"):
            assert printed


@pytest.fixture
def described(client: Client) -> OpenApiSchema:
    """The server's own description, with the app's name as what it is most of the time."""
    status, text = client.call("GET", "/api/openapi.json")
    assert status == 200
    document = json.loads(text)
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["name"] == "app":
                    parameter["schema"] = {"enum": ["blog", "nope", "x--blog"]}
    return schemathesis.openapi.from_dict(document)


@pytest.mark.parametrize("name", [name for name in map(operation_id, VERBS.values()) if name not in SPARED])
def test_no_request_breaks_the_server(name: str, client: Client, described: OpenApiSchema) -> None:
    """As many requests that fit the description as ones that almost do."""
    operation = described.find_operation_by_id(name)
    for mode in GenerationMode:

        @seed(20)
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Case) -> None:
            for name in FRAMING:
                case.headers.pop(name, None)
            case.call_and_validate(base_url=client.base, headers=client.headers, checks=CHECKS, timeout=60)

        send()


def test_the_server_is_none_the_worse(server: Server, client: Client) -> None:
    for path in ("maintenance/off", "ps/start"):  # among the requests were their opposites
        status, text = client.call("POST", f"/api/v1/apps/blog/{path}", {})
        assert status in (200, 400, 409), text
    assert until(lambda: server.get("blog").status == 200)
    assert "event=bug" not in server.log()
