"""Pushes and fetches through both doors, with the real git client."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from receiver_house import House, opened

both = pytest.mark.parametrize("door", ["ssh", "http"])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as house:
        yield house


@both
async def test_clone_gives_back_what_was_pushed(house: House, door: str) -> None:
    work = await house.clone()
    pushed = await house.push(work, door)
    assert pushed.code == 0, pushed.err
    head = await house.git("rev-parse", "HEAD", cwd=work)
    assert house.ref() == head
    await house.git("clone", "-q", house.url(door, "web"), "again")
    assert await house.git("rev-parse", "HEAD", cwd=house.path / "again") == head
