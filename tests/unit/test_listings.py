"""Every listing, run for real over SSH's words and the API, against the types that its verb promises."""

import dataclasses
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from builder.rebase import Standing
from mothership.applogs import AppLogs
from mothership.commands import openapi, web
from mothership.commands.columns import KINDS, column
from mothership.commands.house import House
from mothership.commands.table import VERBS
from mothership.commands.verb import Verb
from mothership.engine import Engine
from mothership.health import Check
from mothership.model import Image, Limits, Release, User
from mothership.releases.doctor import Finding
from mothership.store import Entry
from mothership.store.accounts import Grant
from mothership.store.doors import Login
from mothership.store.drains import Drains
from mothership.swarm.tasks import Task
from tests.unit import test_commands
from tests.unit.api_door import Door, opened
from tests.unit.test_commands import call

house = test_commands.house
LISTINGS = [verb for verb in VERBS.values() if verb.columns]
DOCUMENT = openapi.document(VERBS.values())
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
CHECKS = {"web": (Check("readiness", path="/up"),)}
IMAGE = Image("blog", "sha256:1", "buildpack", {"web": "run", "worker": "work"}, size=1, checks=CHECKS)


class Engineless:
    """In the place of the rooms that need an engine: one process, and two findings."""

    async def all_tasks(self, app: str) -> list[Task]:
        values = {field.name: "x" for field in dataclasses.fields(Task)}
        facts: dict[str, Any] = {"release": 1, "slot": 1, "exit_code": 0, "process": "web"}
        since = {"since": "2026-11-22T12:00:00.123456789Z"}
        return [Task(**{**values, **facts, **since}), Task(**{**values, **facts, "slot": 2, "since": ""})]

    async def standing(self, image: Image) -> Standing:
        return Standing(("java-21",), True)

    async def prune(self, **asked: Any) -> list[Any]:
        return [SimpleNamespace(app="blog", workspace=2_000_000, cache=1_000_000, built=1.5e9, size=3_000_000)]

    async def look(self) -> AsyncIterator[Finding]:
        yield Finding("The engine")
        yield Finding("The proxy", "It is gone.", "Start it.")


@pytest.fixture
async def full(house: House, tmp_path: Path) -> House:
    """A house where each listing has a row at least, and each column that may be empty is so in one of them."""
    store, stand = house.accounts._store, cast(Any, Engineless())
    logs = AppLogs(tmp_path, cast(Engine, None), drains=Drains(store))
    made = replace(
        house, cluster=stand, doctor=stand, builder=cast(Any, SimpleNamespace(shelf=stand)), cleanup=stand, logs=logs
    )
    root = made.accounts.add_user("root", admin=True)
    made.accounts.add_key(root, KEY, Grant(only="blog", expires="2030-01-01T00:00:00.000000+00:00"))
    made.accounts.create_token(root, "laptop")
    app = made.apps.create("blog", root)
    made.apps.create("empty", root)
    made.apps.replace_config(app, {"A": "1"})
    made.apps.set_buildpacks(app, ("heroku/python",))
    made.apps.limit(app, "worker", Limits(cpu=0.5), quantity=1)
    preview = made.apps.create_preview("one--blog", app, branch="preview/one")
    made.apps.expire(preview, datetime.now(UTC) + timedelta(days=1))
    release = Release("blog", 0, IMAGE, {"A": "1"}, {"web": 2, "worker": 1}, "", "Deploy", "root")
    made.releases.make_current(made.releases.create(release))
    made.builds.begin("blog", "c" * 40, "root")
    made.logins.put("blog", Login("ghcr.io", "ada", "pass"))
    hook = made.webhooks.add(
        "blog", root.id, url="https://host.test/a.git", branch="main", provider="gitea", api="", token=""
    )
    for key, event, commit in (("1", "ping", ""), ("2", "push", "c" * 40)):
        made.webhooks.receive(hook, key, "", event=event, commit=commit, outcome="ok")
    await logs.outlets.add("blog", "syslog://192.0.2.1:9", anywhere=True)
    made.audit.record(Entry("root", "127.0.0.1", "ssh", "apps:create", "blog"))
    return made


def answer_schema(verb: Verb[Any]) -> dict[str, Any]:
    """What the description says of a verb's answer."""
    operation = DOCUMENT["paths"][web.path(verb)][web.method(verb).lower()]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return {**schema, "components": DOCUMENT["components"]}


def check(schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)


def test_every_verb_that_prints_a_table_has_json_and_columns() -> None:
    tables = [verb for verb in VERBS.values() if "table" in verb.perform.__code__.co_names]  # type: ignore[attr-defined]
    assert len(tables) > 15
    for verb in tables:
        assert web.speaks_json(verb) and verb.columns, verb.name


def test_every_column_has_a_known_type() -> None:
    for verb in LISTINGS:
        assert len({each.name for each in verb.row}) == len(verb.row)
        assert all(each.kind in KINDS for each in verb.row)
    with pytest.raises(ValueError, match="no known type"):
        column("since: tomorrow")


@pytest.mark.parametrize("verb", LISTINGS, ids=lambda verb: verb.name)
async def test_rows_have_the_promised_names_and_types_by_command_and_by_api(full: House, verb: Verb[Any]) -> None:
    root = full.accounts.user("root")
    code, out, err = await call(full, root, f"{verb.name} {'blog' if verb.app else ''} --json")
    assert code == (verb.name == "doctor"), err
    found = json.loads(out)
    assert found, "a listing without a row shows nothing of its types"
    for row in [found] if verb.single else found:
        assert list(row) == [each.name for each in verb.row]
    check(answer_schema(verb), {"exit": code, "data": found})
    async with opened(full, user="ada", admin=True) as door:
        await _credentials(full, door)
        body = {} if verb.reads else {"json": {}}
        answer = await door.call(web.method(verb), web.path(verb).replace("{app}", "blog"), **body)
    assert answer.status == 200 and answer.json["data"], answer.text
    check(answer_schema(verb), answer.json)


async def _credentials(house: House, door: Door) -> None:
    """A further token and key of the API's caller, so that some are used and some are not."""
    ada = house.accounts.user("ada")
    house.accounts.create_token(ada, "unused")
    house.accounts.add_key(ada, KEY[:-2] + "BB")


@pytest.mark.parametrize("name", ["apps", "apps:info"])
async def test_what_is_not_there_is_null(full: House, name: str) -> None:
    root = full.accounts.user("root")
    _, out, _ = await call(full, root, f"{name} {'empty' if VERBS[name].app else ''} --json")
    row = next(row for row in json.loads(out) if row["app"] == "empty")
    assert row["release"] is None
    _, shown, _ = await call(full, root, name if name == "apps" else f"{name} empty")
    assert "None" not in shown and "-" in shown


async def test_what_is_set_beside_json_is_said_on_standard_error(full: House) -> None:
    root: User = full.accounts.user("root")
    code, out, err = await call(full, root, "drain blog 60 --json")
    assert code == 0 and json.loads(out) == {"seconds": 60, "default": False} and "next release" in err
    code, out, err = await call(full, root, "builder blog cnb example/builder --json")
    assert json.loads(out) == {"builder": "cnb", "image": "example/builder:latest"} and "next build" in err
    code, out, _ = await call(full, root, "limits empty web --memory 100 --json")
    assert json.loads(out) == [{"process": "web", "memory": 100, "cpu": 0.0, "pids": 512}]
    assert (await call(full, root, "limits empty --memory 100"))[0] == 2
