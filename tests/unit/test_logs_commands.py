"""The verbs about logs: what they print, and what they refuse."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mothership.applogs import AppLogs
from mothership.commands.dispatch import Dispatch
from mothership.commands.house import House
from mothership.model import User
from mothership.store import Accounts, Apps, Audit, Store
from mothership.store.drains import Drains


class Caller:
    """A caller who keeps what is said."""

    terminal = None
    remote = "127.0.0.1"

    def __init__(self, user: User) -> None:
        self.user = user
        self.out, self.err = b"", b""

    def write(self, data: bytes) -> None:
        self.out += data

    def write_error(self, data: bytes) -> None:
        self.err += data

    async def drain(self) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The rooms that these verbs reach: accounts, apps and logs."""
    store = Store(tmp_path)
    apps = Apps(store)
    logs = AppLogs(tmp_path, cast(Any, None), drains=Drains(store))
    accounts = Accounts(store)
    apps.create("blog", accounts.add_user("ada", admin=True))

    def app(name: str, user: User) -> Any:
        return House.app(cast(Any, SimpleNamespace(apps=apps)), name, user)

    return cast(House, SimpleNamespace(accounts=accounts, apps=apps, audit=Audit(store), logs=logs, app=app))


async def call(house: House, line: str) -> tuple[int, str, str]:
    caller = Caller(house.accounts.user("ada"))
    code = await Dispatch(house).run(line, cast(Any, caller))
    return code, caller.out.decode(), caller.err.decode()


async def test_lines_are_printed_filtered_and_found(house: House) -> None:
    house.logs.of("blog").note("build", "-----> Building")
    house.logs.of("blog").note("api", "Release v1 created by ada")
    code, out, _ = await call(house, "logs blog")
    assert code == 0 and out.count("\n") == 2 and " mothership[build]: -----> Building\n" in out
    assert (await call(house, "logs blog -n 1"))[1].endswith("Release v1 created by ada\n")
    assert (await call(house, "logs blog --source app"))[1] == ""
    assert (await call(house, "logs blog --ps build --since 1h"))[1].count("\n") == 1
    assert (await call(house, "logs:search blog created ada"))[1].count("\n") == 1
    assert (await call(house, "logs:search blog --regex 'v[0-9] cre'"))[1].count("\n") == 1
    assert (await call(house, "logs:search blog -- nothing"))[:2] == (1, "")


@pytest.mark.parametrize(
    "line",
    [
        "logs blog --ps ';id'",
        "logs blog --ps 'web.*'",
        "logs blog --source router",
        "logs blog --since yesterday",
        "logs blog -n many",
        "logs:search blog ''",
        "logs:search blog 'a\nb'",
        "logs:search blog --regex '('",
        "drains:add blog ftp://example.com",
        "drains:remove blog 7",
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(house: House, line: str) -> None:
    house.logs.of("blog").note("build", "a")
    code, out, err = await call(house, line)
    assert code in (1, 2) and out == "" and err.startswith(" !     ")


async def test_a_follower_sees_each_line_once(house: House) -> None:
    journal = house.logs.of("blog")
    caller = Caller(house.accounts.user("ada"))
    for number in range(50):
        journal.note("api", f"line {number}")
    following = asyncio.create_task(Dispatch(house).run("logs blog -f -n 1000", cast(Any, caller)))
    for number in range(50, 300):
        journal.note("api", f"line {number}")
        await asyncio.sleep(0 if number % 50 else 0.01)
    async with asyncio.timeout(10):
        while b"line 299" not in caller.out:
            await asyncio.sleep(0.01)
    following.cancel()
    found = [line.split(": ")[1] for line in caller.out.decode().splitlines()]
    assert found == [f"line {number}" for number in range(300)]
    await house.logs.close()


async def test_a_follower_of_one_process_is_told_what_was_dropped(house: House) -> None:
    journal = house.logs.of("blog")
    caller = Caller(house.accounts.user("ada"))
    following = asyncio.create_task(Dispatch(house).run("logs blog -f -n 0 --ps web", cast(Any, caller)))
    while b"begin" not in caller.out:
        journal.note("web.1", "begin")
        await asyncio.sleep(0.05)
    for number in range(6000):
        journal.note("web.1" if number == 5 else "worker.1", f"line {number}")
    async with asyncio.timeout(10):
        while b"dropped" not in caller.out:
            await asyncio.sleep(0.01)
    following.cancel()
    *_, line, dropped = [line.split(" ", 1)[1] for line in caller.out.decode().splitlines()]
    assert line == "mothership[web.1]: line 5"
    assert dropped.startswith("mothership[logs]: 100") and "lines were dropped here" in dropped
    await house.logs.close()


async def test_a_drain_is_listed_without_its_password_and_removed(house: House) -> None:
    code, out, _ = await call(house, "drains:add blog http://ada:s3cret@127.0.0.1:9/in")
    assert code == 0 and "***" in out
    for verb in ("drains blog", "logs:drains blog --json", "logs blog"):
        out = (await call(house, verb))[1]
        assert "http://ada:***@127.0.0.1:9/in" in out and "s3cret" not in out
    code, _, err = await call(house, "drains:add blog http://ada:s3cret@127.0.0.1:9/in")
    assert code == 1 and "s3cret" not in err
    code, out, _ = await call(house, "drains:remove blog http://ada:s3cret@127.0.0.1:9/in")
    assert code == 0 and "s3cret" not in out
    assert "no drains" in (await call(house, "drains blog"))[1]
    await house.logs.close()
