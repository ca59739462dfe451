"""app.json: health checks and deploy scripts, and every way to write them wrong."""

import dataclasses
import json
from typing import Any

import pytest

from builder.appjson import parse
from mothership.errors import Invalid
from mothership.health import Check, load


def of(**values: Any) -> bytes:
    return json.dumps(values).encode()


def test_the_fields_of_a_check_are_dokkus() -> None:
    web = {
        "type": "readiness",
        "name": "ready",
        "path": "/health?deep=1",
        "port": 8080,
        "content": "ok",
        "attempts": 2,
        "timeout": 3,
        "wait": 1,
        "initialDelay": 4,
        "httpHeaders": [{"name": "X-Check", "value": "yes"}],
    }
    found = parse(of(healthchecks={"web": [web], "worker": [{"command": ["true"]}, {"uptime": 0}]})).checks
    assert found["web"] == (
        Check("readiness", "ready", "/health?deep=1", 8080, (), "ok", (("X-Check", "yes"),), 2, 3, 1, 4),
    )
    assert found["worker"] == (Check(command=("true",)), Check(uptime=0))


def test_a_check_that_says_nothing_asks_for_the_root() -> None:
    assert parse(of(healthchecks={"web": [{}]})).checks["web"][0].path == "/"
    assert parse(of(healthchecks={"web": [{"listening": True}]})).checks["web"][0].path == ""


def test_deploy_scripts_are_found_in_both_places() -> None:
    assert parse(of(scripts={"dokku": {"predeploy": "a"}, "postdeploy": "b"})).scripts == {
        "predeploy": "a",
        "postdeploy": "b",
    }
    assert parse(of(name="My app", env={"A": {"required": True}})).scripts == {}


def test_checks_survive_the_way_through_the_store() -> None:
    found = parse(of(healthchecks={"web": [{"path": "/x", "httpHeaders": [{"name": "A", "value": "b"}]}]})).checks
    stored = json.loads(json.dumps({k: [dataclasses.asdict(c) for c in v] for k, v in found.items()}))
    assert load(stored) == found


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        of(healthchecks=[]),
        of(healthchecks={"web": {}}),
        of(healthchecks={"we b": []}),
        of(healthchecks={"web": ["/"]}),
        of(healthchecks={"web": [{"type": "boot"}]}),
        of(healthchecks={"web": [{"path": "health"}]}),
        of(healthchecks={"web": [{"path": "/a b"}]}),
        of(healthchecks={"web": [{"path": "/\r\nX: y"}]}),
        of(healthchecks={"web": [{"path": "/", "command": ["true"]}]}),
        of(healthchecks={"web": [{"command": "true"}]}),
        of(healthchecks={"web": [{"command": []}]}),
        of(healthchecks={"web": [{"timeout": "5"}]}),
        of(healthchecks={"web": [{"timeout": True}]}),
        of(healthchecks={"web": [{"timeout": 0}]}),
        of(healthchecks={"web": [{"port": 65536}]}),
        of(healthchecks={"web": [{"attempts": 10**9}]}),
        of(healthchecks={"web": [{"pth": "/"}]}),
        of(healthchecks={"web": [{"httpHeaders": {"a": "b"}}]}),
        of(healthchecks={"web": [{"httpHeaders": [{"name": "A b", "value": ""}]}]}),
        of(healthchecks={"web": [{"httpHeaders": [{"name": "A", "value": "x\r\nB: y"}]}]}),
        of(scripts=["x"]),
        of(scripts={"predeploy": 3}),
        b'{"scripts": {"predeploy": "\\ud800"}}',
    ],
)
def test_a_malformed_app_json_is_said_to_be_so(data: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        parse(data)
    assert caught.value.reason == "malformed app.json" and caught.value.hint
