"""The HTTP API on a real server: operating an app by it, and requests that nobody would think of."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode, checks
from schemathesis.specs.openapi import checks as conformance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from mothership.commands.openapi import operation_id
from mothership.commands.table import VERBS
from tests.engine.server import Server
from tests.engine.test_road import FILES

SPARED = {
    "apps_destroy": "its example would destroy the app that the other requests are about",
    "cleanup": "it would remove the images of other tests' apps, which share this engine and this server",
    "tokens_revoke": "it could take the token that the requests come with",
}
EXAMPLES = 12
CHECKS = [
    checks.not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_schema_conformance,
]
HOST = "mothership.localhost"


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
def client(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client with a first app, `blog`."""
    folder = tmp_path_factory.mktemp("blog")
    server.commit(folder, FILES)
    pushed = server.push(folder, "blog")
    assert pushed.code == 0, pushed.text
    token = server.ssh("tokens:create fuzz").stdout.strip()
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
            case.call_and_validate(base_url=client.base, headers=client.headers, checks=CHECKS, timeout=60)

        send()


def test_the_server_is_none_the_worse(server: Server, client: Client) -> None:
    for line in ("maintenance:off blog", "ps:scale blog web=1"):
        assert server.ssh(line).returncode == 0, line
    assert server.get("blog").status == 200
    assert client.call("GET", "/api/v1/apps")[0] == 200
    assert "event=bug" not in server.log()
