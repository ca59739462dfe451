"""Pushes and fetches through both doors, with the real git client."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mothership.errors import BuildFailed
from mothership.model import Push
from mothership.output import Output
from tests.unit.receiver_house import House, invalid, opened

both = pytest.mark.parametrize("door", ["ssh", "http"])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as house:
        yield house


@both
async def test_clone_and_fetch_give_back_what_was_pushed(house: House, door: str) -> None:
    work = await house.clone()
    pushed = await house.push(work, door)
    assert pushed.code == 0, pushed.err
    head = await house.git("rev-parse", "HEAD", cwd=work)
    assert house.ref() == head
    again = house.path / "again"
    await house.git("clone", "-q", house.url(door, "web"), str(again))
    assert await house.git("rev-parse", "HEAD", cwd=again) == head
    newer = await house.commit(work, "second")
    assert (await house.push(work, door)).code == 0
    await house.git("fetch", "-q", "origin", cwd=again)
    assert await house.git("rev-parse", "origin/main", cwd=again) == newer


@both
async def test_partial_clone_leaves_the_blobs_out(house: House, door: str) -> None:
    await house.push(await house.clone(), door)
    again = house.path / "again"
    await house.git("clone", "-q", "--no-checkout", "--filter=blob:none", house.url(door, "web"), str(again))
    assert "?" in await house.git("rev-list", "--objects", "--missing=print", "HEAD", cwd=again)


@both
async def test_the_recipe_sees_the_new_objects_in_quarantine_before_the_ref_moves(house: House, door: str) -> None:
    work = await house.clone()
    seen: list[str] = []

    async def look(push: Push, out: Output) -> None:
        env = {"GIT_OBJECT_DIRECTORY": push.quarantine}
        show = ["git", f"--git-dir={house.pushes.repos.path('web')}", "cat-file", "-t", push.updates[0].new]
        seen.extend([(await house.run(*show, env=env)).out.decode().strip(), house.ref()])

    house.pushes.recipe = look
    assert (await house.push(work, door)).code == 0
    assert seen == ["commit", ""]
    assert house.ref() == await house.git("rev-parse", "HEAD", cwd=work)
    assert not house.quarantines()


@both
async def test_lines_reach_the_client_as_remote_lines(house: House, door: str) -> None:
    async def speak(push: Push, out: Output) -> None:
        out.step("Building näive ☃")
        out.detail("detail")
        out.raw("x" * 30_000 + "é")

    house.pushes.recipe = speak
    pushed = await house.push(await house.clone(), door)
    lines = [line.rstrip() for line in pushed.err.splitlines()]
    assert "remote: -----> Building näive ☃" in lines
    assert "remote:        detail" in lines
    assert "remote: " + "x" * 30_000 + "é" in lines


@both
async def test_a_failed_recipe_leaves_the_ref_where_it_was_and_says_why(house: House, door: str) -> None:
    async def fail(push: Push, out: Output) -> None:
        out.step("Building")
        raise BuildFailed("No requirements were found.", "Add a requirements.txt.")

    house.pushes.recipe = fail
    pushed = await house.push(await house.clone(), door)
    assert pushed.code == 1
    lines = [line.rstrip() for line in pushed.err.splitlines()]
    said = lines.index("remote: -----> Building")
    assert lines[said + 1 : said + 3] == [
        "remote:  !     No requirements were found.",
        "remote:  !     Add a requirements.txt.",
    ]
    assert " ! [remote rejected] main -> main (build failed)" in lines
    assert "hook declined" not in pushed.err
    assert house.ref() == ""
    assert not house.quarantines()


@both
async def test_a_bug_of_ours_is_a_reference_and_no_traceback(house: House, door: str) -> None:
    async def stumble(push: Push, out: Output) -> None:
        raise RuntimeError("secret detail")

    house.pushes.recipe = stumble
    pushed = await house.push(await house.clone(), door)
    assert pushed.code == 1
    assert "Mothership hit a bug (reference " in pushed.err
    assert "(internal error " in pushed.err
    assert "secret" not in pushed.err
    assert "Traceback" not in pushed.err
    assert house.ref() == ""


@both
async def test_push_options_reach_the_recipe_as_they_were_given(house: House, door: str) -> None:
    options = ["no-cache", "ref=ü $(id) 'x'", ""]
    flags = [flag for option in options for flag in ("-o", option)]
    pushed = await house.push(await house.clone(), door, "web", "-q", *flags)
    assert pushed.code == 0, pushed.err
    assert house.pushes.pushes[0].options == tuple(options)


@both
async def test_a_shallow_clone_can_push(house: House, door: str) -> None:
    work = await house.clone()
    for number in range(5):
        await house.commit(work, f"commit {number}")
    shallow = house.path / "shallow"
    await house.git("clone", "-q", "--depth=1", f"file://{work}", str(shallow))
    pushed = await house.push(shallow, door)
    assert pushed.code == 0, pushed.err
    newer = await house.commit(shallow, "on top")
    assert (await house.push(shallow, door)).code == 0
    assert house.ref() == newer


@both
async def test_an_atomic_push_moves_all_refs_or_none(house: House, door: str) -> None:
    work = await house.clone()
    await house.git("branch", "side", cwd=work)
    command = ("git", "push", "-q", "--atomic", house.url(door, "web"), "main", "side")

    async def refuse(push: Push, out: Output) -> None:
        raise invalid("Not like this.")

    house.pushes.recipe = refuse
    refused = await house.run(*command, cwd=work)
    assert refused.code == 1
    assert refused.err.count("(no good)") == 2
    assert (house.ref(), house.ref(name="refs/heads/side")) == ("", "")
    house.pushes.recipe = _accept
    assert (await house.run(*command, cwd=work)).code == 0
    head = await house.git("rev-parse", "HEAD", cwd=work)
    assert (house.ref(), house.ref(name="refs/heads/side")) == (head, head)


@both
async def test_deleting_a_branch_is_a_push_without_objects(house: House, door: str) -> None:
    work = await house.clone()
    await house.run("git", "push", "-q", house.url(door, "web"), "main", "main:side", cwd=work)
    deleted = await house.run("git", "push", "-q", house.url(door, "web"), ":side", cwd=work)
    assert deleted.code == 0, deleted.err
    last = house.pushes.pushes[-1]
    assert last.quarantine == ""
    assert last.updates[0].deletes
    assert house.ref(name="refs/heads/side") == ""


@both
async def test_a_sha256_repository_can_be_pushed_and_rejected(house: House, door: str) -> None:
    work = await house.clone("work", "--object-format=sha256")
    bare = house.pushes.repos.path("web")
    await house.git("init", "-q", "--bare", "--object-format=sha256", "-b", "main", str(bare))
    house.pushes._refuse_stale = lambda push: None  # type: ignore[method-assign]
    pushed = await house.push(work, door)
    assert pushed.code == 0, pushed.err
    assert len(house.pushes.pushes[0].updates[0].new) == 64


@both
async def test_a_sha256_push_to_a_sha1_app_builds_nothing(house: House, door: str) -> None:
    pushed = await house.push(await house.clone("work", "--object-format=sha256"), door)
    assert pushed.code != 0
    assert not house.pushes.pushes


@both
async def test_a_stale_push_is_refused_before_anything_is_built(house: House, door: str) -> None:
    work = await house.clone()
    await house.push(work, door)
    theirs = house.path / "theirs"
    await house.git("clone", "-q", house.url(door, "web"), str(theirs))
    await house.commit(theirs, "theirs")
    await house.commit(work, "mine")
    # A client that has read the refs before somebody else's push, as a long upload has.
    before = house.ref()
    held = asyncio.Event()

    async def hold(push: Push, out: Output) -> None:
        await held.wait()

    house.pushes.recipe = hold
    first = asyncio.create_task(house.push(work, door))
    await house.settles(lambda: len(house.pushes.pushes) == 2)
    second = asyncio.create_task(house.push(theirs, door, "web", "--force"))
    await asyncio.sleep(0.3)
    held.set()
    assert (await first).code == 0
    late = await second
    assert late.code == 1
    assert "(fetch first)" in late.err
    assert len(house.pushes.pushes) == 2
    assert house.ref() not in ("", before)


@both
async def test_two_pushes_to_one_app_go_one_after_the_other(house: House, door: str) -> None:
    work = await house.clone()
    running: list[int] = [0, 0]

    async def count(push: Push, out: Output) -> None:
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(0.1)
        running[0] -= 1

    house.pushes.recipe = count
    await house.git("branch", "side", cwd=work)
    url = house.url(door, "web")
    ran = await asyncio.gather(*(house.run("git", "push", "-q", url, branch, cwd=work) for branch in ("main", "side")))
    assert [one.code for one in ran] == [0, 0]
    assert running[1] == 1


@both
async def test_pushes_to_two_apps_run_side_by_side(house: House, door: str) -> None:
    work = await house.clone()
    meeting = asyncio.Barrier(2)

    async def meet(push: Push, out: Output) -> None:
        await asyncio.wait_for(meeting.wait(), 10)

    house.pushes.recipe = meet
    ran = await asyncio.gather(house.push(work, door, "one"), house.push(work, door, "two"))
    assert [one.code for one in ran] == [0, 0]


@both
async def test_an_unknown_app_that_may_not_be_created_is_refused(house: House, door: str) -> None:
    house.accounts.keys = {key: house.stranger for key in house.accounts.keys}
    house.accounts.tokens = {token: house.stranger for token in house.accounts.tokens}
    pushed = await house.push(await house.clone(), door)
    assert pushed.code != 0
    assert "bob may not create the app web." in pushed.err
    assert "Ask an admin for it." in pushed.err


@both
@pytest.mark.parametrize("name", ["UPPER", "x", "a--b", "admin", "..%2fetc", "web;id"])
async def test_a_bad_app_name_is_refused_in_words(house: House, door: str, name: str) -> None:
    refused = await house.run("git", "ls-remote", house.url(door, name))
    assert refused.code != 0
    assert "app name" in refused.err or "keeps for itself" in refused.err


@both
async def test_lines_arrive_while_they_are_said(house: House, door: str) -> None:
    """Each line is said only when the client has printed the one before. benchmarks/latency.py has the times."""
    heard = asyncio.Semaphore(1)

    async def speak(push: Push, out: Output) -> None:
        for number in range(15):
            await heard.acquire()
            out.raw(f"line {number}")

    house.pushes.recipe = speak
    work = await house.clone()
    client = await house.start("git", "push", house.url(door, "web"), "main", cwd=work)
    assert client.stderr
    async with asyncio.timeout(30):
        async for line in client.stderr:
            if b"line " in line:
                heard.release()
    assert await client.wait() == 0


async def test_a_push_without_news_is_told_what_it_could_have_meant(house: House) -> None:
    work = await house.clone()
    assert (await house.push(work)).code == 0
    again = await house.push(work)
    assert again.code == 0
    assert "-----> web has all of that" in again.err


async def _accept(push: Push, out: Output) -> None:
    pass
