"""The command table: parsing, errors in words, and hostile input at every verb."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from mothership.applogs import AppLogs
from mothership.commands.dispatch import Dispatch
from mothership.commands.house import House
from mothership.commands.parse import arguments, find, help_text, words
from mothership.commands.session import Resize, Signal, Terminal
from mothership.commands.table import VERBS
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import Invalid
from mothership.model import User
from mothership.releases import AppLocks, BuildSlots
from mothership.releases.running import Running
from mothership.repos import Repos
from mothership.store import Accounts, Apps, Audit, Builds, Releases, Store
from mothership.store.doors import DeployKeys, Logins, Webhooks


class Caller:
    """A caller who keeps what is said."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.terminal: Terminal | None = None
        self.remote = "127.0.0.1"
        self.out, self.err = b"", b""

    def write(self, data: bytes) -> None:
        self.out += data

    def write_error(self, data: bytes) -> None:
        self.err += data

    async def drain(self) -> None:
        pass

    async def read(self, size: int = 65536) -> bytes:
        return b""

    async def events(self) -> AsyncIterator[Resize | Signal]:
        return
        yield


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The rooms that need no engine; a verb that reaches for another one fails its test."""
    store, settings = Store(tmp_path), Settings(data=tmp_path)
    return House(
        settings=settings,
        engine=cast(Engine, None),
        accounts=Accounts(store),
        apps=Apps(store),
        releases=Releases(store),
        builds=Builds(store),
        audit=Audit(store),
        repos=Repos(tmp_path),
        cluster=cast(Any, None),
        router=cast(Any, None),
        shipper=cast(Any, None),
        locks=AppLocks(),
        running=Running(),
        detached=cast(Any, None),
        deployer=cast(Any, None),
        deliveries=cast(Any, None),
        builder=cast(Any, None),
        slots=BuildSlots(1),
        cleanup=cast(Any, None),
        doctor=cast(Any, None),
        logs=AppLogs(tmp_path, cast(Engine, None)),
        webhooks=Webhooks(store),
        deploy_keys=DeployKeys(store),
        logins=Logins(store),
    )


async def call(house: House, user: User, line: str) -> tuple[int, str, str]:
    caller = Caller(user)
    code = await Dispatch(house).run(line, caller)
    return code, caller.out.decode(), caller.err.decode()


async def test_an_app_is_created_listed_and_configured(house: House) -> None:
    ada = house.accounts.add_user("ada")
    assert (await call(house, ada, "apps:create blog"))[0] == 0
    code, out, _ = await call(house, ada, "apps")
    assert code == 0 and "blog" in out and "http://blog.localhost" in out
    assert (await call(house, ada, "config:set blog GREETING='hi there' B=2"))[0] == 0
    assert (await call(house, ada, "config:get -a blog GREETING"))[1] == "hi there\n"
    assert (await call(house, ada, "config:unset blog B"))[0] == 0
    assert house.apps.config(house.apps.get("blog")) == {"GREETING": "hi there"}


async def test_config_vars_are_as_large_as_a_service_may_be(house: House) -> None:
    ada = house.accounts.add_user("ada")
    await call(house, ada, "apps:create blog")
    _, _, err = await call(house, ada, f"config:set blog A={'ß' * 20_000}")
    assert "longer than 32 KiB" in err
    for number in range(32):
        assert (await call(house, ada, f"config:set blog V{number}={'x' * 32_000}"))[0] == 0
    _, _, err = await call(house, ada, f"config:set blog BIG={'x' * 32_000} BIGGER={'x' * 32_000}")
    assert "1024 KiB that an app may have" in err and "BIG" not in house.apps.config(house.apps.get("blog"))
    assert (await call(house, ada, "config:unset blog V0"))[0] == 0


async def test_times_are_told_to_the_second(house: House) -> None:
    ada = house.accounts.add_user("ada")
    await call(house, ada, "apps:create blog")
    await call(house, ada, "tokens:create laptop")
    for line in ("tokens", "apps:info blog"):
        assert re.search(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", (await call(house, ada, line))[1])


async def test_listings_speak_json(house: House) -> None:
    ada = house.accounts.add_user("ada")
    await call(house, ada, "apps:create blog")
    code, out, _ = await call(house, ada, "apps --json")
    assert code == 0 and '"app": "blog"' in out


async def test_another_users_app_looks_like_no_app(house: House) -> None:
    ada, bob = house.accounts.add_user("ada"), house.accounts.add_user("bob")
    await call(house, ada, "apps:create blog")
    theirs = await call(house, bob, "config blog")
    none = await call(house, bob, "config nope")
    assert theirs[0] == none[0] == 1
    assert theirs[2].replace("blog", "X") == none[2].replace("nope", "X")


async def test_an_unknown_command_is_told_what_was_probably_meant(house: House) -> None:
    code, _, err = await call(house, house.accounts.add_user("ada"), "config:ste blog A=1")
    assert code == 2 and "Did you mean config:set?" in err


@pytest.mark.parametrize(
    "line", ["rm -rf /", "ls; id", "$(id)", "`id`", "git-receive-pack", "sh", "scp -t /", "apps\nrm"]
)
async def test_a_command_that_is_not_in_the_table_is_refused(house: House, line: str) -> None:
    code, out, err = await call(house, house.accounts.add_user("ada"), line)
    assert code == 2 and out == "" and err.startswith(" !     ")


async def test_a_bug_is_a_reference_and_not_a_traceback(house: House) -> None:
    ada = house.accounts.add_user("ada")
    await call(house, ada, "apps:create blog")
    house.apps.scale(house.apps.get("blog"), {"web": 1})
    code, out, err = await call(house, ada, "apps:destroy blog --confirm blog")
    assert code == 70 and "reference" in err and "Traceback" not in out + err


HOSTILE = (
    "",
    "''",
    "--",
    "-x",
    "--no-such-option",
    "../../etc/passwd",
    "'$(id)'",
    "'; rm -rf /'",
    "blоg",
    "a" * 5000,
    "nope",
    "nope nope nope nope nope",
    "nope --json --json",
    "'line\nbreak'",
    "--app",
    "--app=",
    "'unclosed",
    "x\0y",
)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", list(VERBS))
async def test_hostile_arguments_are_a_clear_error_at_every_verb(house: House, name: str, hostile: str) -> None:
    mallory = house.accounts.add_user("mallory", creates=False)
    code, out, err = await call(house, mallory, f"{name} {hostile}")
    assert code in (0, 1, 2), err
    assert "Traceback" not in out + err and "root:" not in out
    if code:
        assert err.startswith(" !     ") and len(err) < 3000


def test_a_long_command_line_is_refused() -> None:
    with pytest.raises(Invalid, match="longer than"):
        words("x" * 1_000_000)


def test_run_takes_the_rest_of_the_line_as_it_is() -> None:
    args = arguments(find(VERBS, "run"), ["blog", "--", "ls", "-la", "--app", "x"])
    assert args.app == "blog" and args.argv[-4:] == ("ls", "-la", "--app", "x")
    args = arguments(find(VERBS, "run"), ["--app", "blog", "ls", "-la"])
    assert args.app == "blog" and args.argv == ("ls", "-la")


def test_every_verb_has_help_with_its_usage() -> None:
    for verb in VERBS.values():
        assert help_text(verb).startswith(f"Usage: {verb.name}")


async def test_a_terminal_gets_its_carriage_returns(house: House) -> None:
    caller = Caller(house.accounts.add_user("ada"))
    caller.terminal = Terminal("xterm", 80, 24)
    await Dispatch(house).run("help", caller)
    await Dispatch(house).run("nope", caller)
    for printed in (caller.out, caller.err):
        assert printed.count(b"\n") == printed.count(b"\r\n") > 0
