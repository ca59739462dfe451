"""A second, independent git client through both doors: dulwich."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dulwich.client import GitClient, HttpGitClient, SSHGitClient
from dulwich.repo import Repo

from mothership.errors import BuildFailed
from mothership.model import Push
from mothership.output import Output
from tests.unit.receiver_house import TOKEN, House, opened

both = pytest.mark.parametrize("door", ["ssh", "http"])
MAIN = b"refs/heads/main"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as house:
        yield house


def client(house: House, door: str) -> GitClient:
    if door == "http":
        return HttpGitClient(f"http://127.0.0.1:{house.http_port}/", username="any", password=TOKEN)
    command = " ".join(house.ssh_command)
    return SSHGitClient("127.0.0.1", port=house.ssh_port, username="any", ssh_command=command)


async def push(house: House, door: str, work: Path) -> tuple[dict[bytes, str | None], bytes]:
    """What became of the refs, and what the client was told."""
    told: list[bytes] = []

    def send() -> dict[bytes, str | None]:
        with Repo(str(work)) as repo:
            result = client(house, door).send_pack(
                b"/web.git", lambda refs: {MAIN: repo.head()}, repo.generate_pack_data, progress=told.append
            )
            return dict(result.ref_status or {})

    return await asyncio.to_thread(send), b"".join(told)


@both
async def test_dulwich_pushes_and_fetches(house: House, door: str) -> None:
    work = await house.clone()
    status, told = await push(house, door, work)
    assert status == {MAIN: None}
    assert b"-----> Nothing to do\n" in told
    head = await house.git("rev-parse", "HEAD", cwd=work)
    assert house.ref() == head
    refs = await asyncio.to_thread(_fetch, house, door)
    assert refs[MAIN] == head.encode()


@both
async def test_dulwich_reads_the_lines_and_the_reason(house: House, door: str) -> None:
    async def fail(push: Push, out: Output) -> None:
        out.step("Building")
        raise BuildFailed("No requirements were found.", "Add a requirements.txt.")

    house.pushes.recipe = fail
    status, told = await push(house, door, await house.clone())
    assert status == {MAIN: "build failed"}
    assert told.decode().splitlines()[-3:] == [
        "-----> Building",
        " !     No requirements were found.",
        " !     Add a requirements.txt.",
    ]
    assert house.ref() == ""


@both
async def test_dulwich_is_told_why_there_is_nothing(house: House, door: str) -> None:
    house.accounts.tokens[TOKEN] = house.stranger
    house.accounts.keys = {key: house.stranger for key in house.accounts.keys}
    with pytest.raises(Exception, match="may not create the app web|403"):  # dulwich drops the body of a 403
        await push(house, door, await house.clone())


def _fetch(house: House, door: str) -> dict[bytes, bytes]:
    with Repo.init(str(house.path / "again"), mkdir=True) as target:
        result = client(house, door).fetch(b"/web.git", target)
        assert result.refs[MAIN] in target.object_store  # type: ignore[operator]
        return dict(result.refs)  # type: ignore[arg-type]
