"""Roles, keys and tokens that may do less, secrets, and the audit trail."""

import asyncio
import dataclasses
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from mothership.commands.dispatch import Dispatch
from mothership.commands.house import House
from mothership.commands.table import VERBS
from mothership.errors import Refused
from mothership.model import Role, User
from mothership.output import Output
from mothership.store import Audit, Entry, Store
from mothership.store.accounts import Grant
from tests.unit.test_commands import Caller, call, house

__all__ = ["house"]

RUNNING = ("ps", "checks", "releases:info")
"""Listings of what runs; tests/engine/test_api.py holds them to the API's description."""

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43


@pytest.fixture
def ada(house: House) -> User:
    user = house.accounts.add_user("ada")
    house.apps.create("blog", user)
    return user


def given(house: House, name: str, role: Role) -> User:
    user = house.accounts.add_user(name)
    house.apps.grant(house.apps.get("blog"), user, role)
    return user


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if verb.app])
async def test_every_verb_is_refused_to_those_with_too_small_a_role(house: House, ada: User, name: str) -> None:
    verb = VERBS[name]
    needed = [f for f in dataclasses.fields(verb.arguments) if f.default is dataclasses.MISSING and f.name != "app"]
    args = verb.arguments(app="blog", **{f.name: ("x",) if f.metadata["many"] else "x" for f in needed})
    for role in (Role.VIEWER, Role.DEPLOYER, Role.OPERATOR):
        caller, refused = Caller(given(house, role.title, role)), False
        try:
            await asyncio.wait_for(Dispatch(house).perform(verb, args, caller, door="test"), 1)
        except Refused as error:
            refused = f"you are its {role.title} here" in error.message
        except Exception as error:  # noqa: BLE001 - it was let through, and stumbles over what this house lacks
            assert not isinstance(error, PermissionError)
        assert refused == (role < verb.role)


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if verb.admin])
async def test_the_verbs_of_admins_are_refused_to_others(house: House, ada: User, name: str) -> None:
    arguments = {"users:add": "x y", "users:remove": "x"}.get(name, "")
    code, _, err = await call(house, ada, f"{name} {arguments}")
    assert code == 1 and "Only an admin" in err


async def test_a_deployer_sets_secrets_without_reading_them(house: House, ada: User) -> None:
    await call(house, ada, "config:set blog TOKEN=s3cret-value --secret")
    await call(house, ada, "config:set blog PLAIN=open")
    dora, olga = given(house, "dora", Role.DEPLOYER), given(house, "olga", Role.OPERATOR)
    _, shown, _ = await call(house, dora, "config blog")
    assert "s3cret-value" not in shown and "********" in shown and "open" in shown
    code, _, err = await call(house, dora, "config:get blog TOKEN")
    assert code == 1 and "read by its operators only" in err
    assert (await call(house, olga, "config:get blog TOKEN"))[1] == "s3cret-value\n"
    assert (await call(house, dora, "config:set blog TOKEN=another-one"))[0] == 0
    assert "TOKEN" in house.apps.secrets(house.apps.get("blog"))


async def test_a_key_for_one_app_and_role_can_do_no_more(house: House, ada: User) -> None:
    house.apps.create("shop", ada)
    limited = replace(ada, most=Role.DEPLOYER, only="blog")
    assert (await call(house, limited, "config blog"))[0] == 0
    assert (await call(house, limited, "config shop"))[0] == 1
    assert "shop" not in (await call(house, limited, "apps"))[1]
    for line in ("run blog -- id", "apps:create more", "tokens:create x", f"keys:add {KEY}"):
        code, _, err = await call(house, limited, line)
        assert code == 1 and ("is for an operator" in err or "was made for less" in err), err
    assert not house.accounts.may_create(limited)


async def test_an_expired_token_lets_nobody_in(house: House, ada: User) -> None:
    fresh = house.accounts.create_token(ada, "fresh", Grant(expires="2999-01-01"))
    stale = house.accounts.create_token(ada, "stale", Grant(expires="2020-01-01"))
    assert await house.accounts.user_for_token(fresh) and await house.accounts.user_for_token(stale) is None


async def test_an_admins_limited_token_is_no_admins(house: House) -> None:
    root = house.accounts.add_user("root", admin=True)
    token = house.accounts.create_token(root, "ci", Grant(most=Role.DEPLOYER))
    user = await house.accounts.user_for_token(token)
    assert user and not user.admin and user.most is Role.DEPLOYER


@pytest.mark.parametrize("words", ["--expires soon", "--expires 0d", "--expires 99999w", "--role king", "--only nope"])
async def test_a_token_for_nonsense_is_refused(house: House, ada: User, words: str) -> None:
    code, _, err = await call(house, ada, f"tokens:create x {words}")
    assert code in (1, 2) and err.startswith(" !     ") and house.accounts.tokens(ada) == []


async def test_what_is_taken_away_is_told_to_the_doors(house: House, ada: User) -> None:
    told: list[str] = []
    house.accounts.on_revoked(told.append)
    house.accounts.create_token(ada, "ci")
    key = house.accounts.add_key(ada, KEY)
    assert (await call(house, ada, "tokens:revoke ci"))[0] == 0
    assert (await call(house, ada, f"keys:remove {key.fingerprint}"))[0] == 0
    assert len(told) == 2 and told[1] == key.fingerprint


async def test_a_user_who_owns_apps_is_not_removed(house: House, ada: User) -> None:
    root = house.accounts.add_user("root", admin=True)
    code, _, err = await call(house, root, "users:remove ada")
    assert code == 1 and "ada owns blog" in err
    house.accounts.add_user("bob")
    assert (await call(house, root, "users:remove bob"))[0] == 0
    assert (await call(house, root, "users:remove root"))[0] == 2


def test_secrets_are_hidden_from_output() -> None:
    lines: list[str] = []
    Output(lines.append).hiding(["hunter2-long", "abc", "hunter2"]).detail("PASSWORD=hunter2-long abc hunter2")
    assert lines == ["       PASSWORD=******** abc ********"]
    further: list[str] = []
    Output().hiding(["hunter2"]).also(further.append).hiding(["swordfish"]).raw("hunter2 swordfish")
    assert further == ["******** ********"]


# the audit trail


async def test_changes_and_refusals_are_recorded_without_secrets(house: House, ada: User) -> None:
    bob = house.accounts.add_user("bob")
    house.apps.grant(house.apps.get("blog"), bob, Role.VIEWER)
    await call(house, ada, "config:set blog TOKEN=s3cret-value")
    await call(house, bob, "config:set blog TOKEN=other")
    await call(house, ada, "config blog")
    rows = house.audit.list()
    assert [(r["user"], r["action"], r["app"], r["detail"]) for r in rows] == [
        ("bob", "config:set", "blog", "TOKEN=…"),
        ("ada", "config:set", "blog", "TOKEN=…"),
    ]
    assert rows[0]["outcome"].startswith("refused: ") and rows[1]["outcome"] == "ok"
    assert rows[0]["remote"] == "127.0.0.1"
    assert "s3cret" not in json.dumps(rows)


@pytest.mark.parametrize(
    "words", ["--memory 99999999999999999999", "--cpu nan", "--cpu inf", "--pids -1", "--memory 3"]
)
async def test_limits_beyond_reason_are_refused(house: House, ada: User, words: str) -> None:
    code, _, err = await call(house, ada, f"limits blog web {words}")
    assert code == 2 and err.startswith(" !     "), err


@pytest.mark.parametrize(
    "line", ["audit -n 99999999999999999999", "releases blog -n -99999999999999999999", "builds blog -n 0"]
)
async def test_a_number_beyond_reason_is_brought_back_to_it(house: House, ada: User, line: str) -> None:
    root = house.accounts.add_user("root", admin=True)
    assert (await call(house, root, line))[0] == 0


async def test_an_admin_reads_exports_and_verifies_the_trail(house: House, ada: User) -> None:
    root = house.accounts.add_user("root", admin=True)
    await call(house, ada, "apps:create shop")
    _, out, _ = await call(house, root, "audit -n 0 --json-lines")
    assert [json.loads(line)["action"] for line in out.splitlines()] == ["apps:create"]
    assert "whole: 1 entries" in (await call(house, root, "audit:verify"))[1]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET user = 'eve' WHERE id = 2",
        "UPDATE audit SET outcome = 'ok' WHERE id = 3",
        "DELETE FROM audit WHERE id = 2",
        "DELETE FROM audit WHERE id = 4",
        "UPDATE audit SET id = id + 10 WHERE id = 4",
        "INSERT INTO audit SELECT 5, at, 'eve', remote, door, action, app, detail, outcome, seal FROM audit LIMIT 1",
    ],
)
def test_a_trail_that_was_tampered_with_is_found_out(tmp_path: Path, tampering: str) -> None:
    audit = Audit(Store(tmp_path))
    for number in range(4):
        audit.record(Entry("ada", "127.0.0.1", "ssh", "apps:create", f"app{number}", outcome="failed: x"))
    assert audit.verify() == ""
    with sqlite3.connect(tmp_path / "mothership.db") as raw:
        if "INSERT" not in tampering:
            with pytest.raises(sqlite3.Error, match="only grows"):
                raw.execute(tampering)
        for trigger in ("audit_stays", "audit_is_final"):
            raw.execute(f"DROP TRIGGER {trigger}")
        raw.execute(tampering)
    assert audit.verify() != ""


def test_refused_logins_are_recorded_and_cannot_fill_the_trail(house: House) -> None:
    for number in range(500):
        house.accounts.turned_away("192.0.2.1", "ssh", "the key SHA256:x")
        house.accounts.turned_away(f"192.0.2.{number}", "http", "a token that is nobody's")
    rows = house.audit.list(limit=0)
    assert len(rows) == 100 and {row["action"] for row in rows} == {"login"}
    assert rows[-1]["remote"] == "192.0.2.1" and rows[-1]["detail"] == "the key SHA256:x"


@pytest.mark.parametrize(
    "name", [n for n, v in VERBS.items() if v.columns and n not in ("ps", "checks", "releases:info")]
)
async def test_the_keys_of_a_listing_are_those_that_it_promises(house: House, ada: User, name: str) -> None:
    root = house.accounts.add_user("root", admin=True)
    house.accounts.add_key(root, KEY)
    house.accounts.create_token(root, "laptop")
    await call(house, root, "config:set blog A=1")
    await call(house, root, "apps:branch blog main")
    await call(house, root, "registries:add blog ghcr.io ada pass")
    await call(house, root, "webhooks:add blog --url https://1.1.1.1/blog.git")
    for hook in house.webhooks.of("blog"):
        house.webhooks.receive(hook, "1", "", event="ping", commit="", outcome="pong")
    code, out, err = await call(house, root, f"{name} {'blog' if VERBS[name].app else ''} --json")
    assert code == 0, err
    found = json.loads(out)
    for row in [found] if VERBS[name].single else found:
        assert tuple(row) == VERBS[name].columns
    if name not in ("releases", "builds", "drains", "logs:drains", "previews"):
        assert found


async def test_previews_get_secrets_only_when_that_is_allowed(house: House, ada: User) -> None:
    await call(house, ada, "config:set blog TOKEN=s3cret-value --secret")
    await call(house, ada, "config:set blog PLAIN=open")
    made = house.apps.create_preview("one--blog", house.apps.get("blog"), branch="preview/one")
    assert house.apps.config(made) == {"PLAIN": "open"}
    assert "do not get" in (await call(house, ada, "previews:secrets blog"))[1]
    assert (await call(house, ada, "previews:secrets blog on"))[0] == 0
    made = house.apps.create_preview("two--blog", house.apps.get("blog"), branch="preview/two")
    assert house.apps.config(made) == {"PLAIN": "open", "TOKEN": "s3cret-value"}
    assert house.apps.secrets(made) == {"TOKEN"}
    assert "two--blog" in (await call(house, ada, "previews blog"))[1]
    assert (await call(house, ada, "previews:secrets blog perhaps"))[0] == 2


async def test_destroying_asks_for_the_name(house: House, ada: User) -> None:
    caller = Caller(ada)
    assert await Dispatch(house).run("apps:destroy blog", caller) == 1
    assert b"Type blog to go on" in caller.err and house.apps.exists("blog")
