"""What a client can do wrong, or do to us: nothing moves, nothing is left behind, and it reads why."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mothership.model import Push
from mothership.output import Output
from tests.unit.receiver_house import House, invalid, opened
from tests.unit.receiver_packs import COMMIT, EVIL_TREES, GOOD, LACKING, ZERO, entry, named, pack, pack_of_tree, update

both = pytest.mark.parametrize("door", ["ssh", "http"])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path, max_input_size=2) as house:
        yield house


async def converse(house: House, door: str, said: bytes) -> bytes:
    """Say something to receive-pack without a git client; all that comes back."""
    if door == "ssh":
        return (await house.ssh("git-receive-pack web", stdin=said)).out
    await house.run("curl", "-s", f"{house.http_url('web')}/info/refs?service=git-receive-pack")
    kind = "application/x-git-receive-pack"
    return (
        await house.run(
            "curl", "-s", "-H", f"Content-Type: {kind}-request", "--data-binary", "@-",
            f"{house.http_url('web')}/git-receive-pack", stdin=said,
        )
    ).out  # fmt: skip


@both
@pytest.mark.parametrize("name", EVIL_TREES)
async def test_an_evil_tree_is_refused(house: House, door: str, name: str) -> None:
    commit, evil = pack_of_tree(EVIL_TREES[name])
    heard = await converse(house, door, update(commit) + evil)
    assert b"ng refs/heads/main unpacker error" in heard
    assert house.ref() == ""
    assert not house.pushes.pushes
    assert not house.quarantines()


@both
async def test_a_harmless_tree_of_the_same_make_is_accepted(house: House, door: str) -> None:
    commit, harmless = pack_of_tree(entry(b"a"))
    assert b"ok refs/heads/main" in await converse(house, door, update(commit) + harmless)
    assert house.ref() == commit


@both
async def test_a_tree_with_an_old_tool_s_padded_mode_is_accepted(house: House, door: str) -> None:
    commit, padded = pack_of_tree(entry(b"a", b"040000", bytes.fromhex(named("tree", b""))))
    assert b"ok refs/heads/main" in await converse(house, door, update(commit) + padded)


BAD_PACKS = {
    "truncated": (update(named("commit", COMMIT)) + GOOD[:-30], "unpacker error"),
    "corrupt": (update(named("commit", COMMIT)) + GOOD[:40] + b"\xff" + GOOD[41:], "unpacker error"),
    "lacking a tree": (update(named("commit", LACKING)) + pack((1, LACKING)), "unpacker error"),
    "lacking the commit": (update("42" * 20) + pack(), "missing necessary objects"),
    "a branch that is a blob": (update(named("blob", b"x")) + pack((3, b"x")), "ref can't be stored"),
    "a bad ref name": (update(named("commit", COMMIT), "refs/heads/..") + GOOD, "ref can't be stored"),
    "a ref outside of refs": (update(named("commit", COMMIT), "HEAD") + GOOD, "invalid ref name"),
}


@both
@pytest.mark.parametrize("name", BAD_PACKS)
async def test_a_bad_pack_moves_nothing_and_builds_nothing(house: House, door: str, name: str) -> None:
    said, reason = BAD_PACKS[name]
    heard = await converse(house, door, said)
    assert b"ng " in heard
    assert reason.encode() in heard
    assert not house.pushes.pushes
    assert not house.quarantines()
    assert not house.children()


@both
async def test_a_newline_in_a_ref_name_smuggles_no_second_update_past_the_hook(house: House, door: str) -> None:
    new = named("commit", COMMIT)
    await converse(house, door, update(new, f"refs/heads/x\n{ZERO} {new} refs/heads/main") + GOOD)
    assert not house.pushes.pushes
    assert house.ref() == ""
    await house.settles(lambda: not house.children())


@both
async def test_a_ref_name_that_is_not_utf8_is_refused(house: House, door: str) -> None:
    raw = update(named("commit", COMMIT), "refs/heads/\u00ff").replace("\u00ff".encode(), b"\xff\xfe")
    heard = await converse(house, door, raw + GOOD)
    assert b"can't be read" in heard
    assert not house.pushes.pushes


@both
async def test_a_ref_that_excludes_another_is_refused_before_the_build(house: House, door: str) -> None:
    work = await house.clone()
    await house.push(work, door)
    pushed = await house.run("git", "push", "-q", house.url(door, "web"), "main:main/x", cwd=work)
    assert "(ref can't be stored)" in pushed.err
    assert len(house.pushes.pushes) == 1


@both
async def test_what_git_refuses_after_our_consent_reaches_the_recipe_as_a_conflict(house: House, door: str) -> None:
    bare = await house.pushes.repos.create("web")
    hash_object = ("hash-object", "-t", "commit", "-w", "--literally", "--stdin")
    gone = await house.git(*hash_object, cwd=bare, stdin=LACKING)
    heard = await converse(house, door, update(gone) + pack())
    assert b"ng refs/heads/main missing necessary objects" in heard
    await house.settles(lambda: house.pushes.left)
    assert house.pushes.left == ["git did not move refs/heads/main (missing necessary objects)"]


@both
async def test_a_push_over_the_limit_is_refused_with_the_limit(house: House, door: str) -> None:
    work = await house.clone()
    (work / "big").write_bytes(os.urandom(3 << 20))
    await house.commit(work, "big")
    pushed = await house.push(work, door)
    assert pushed.code == 1, pushed.err
    assert "This push is larger than 2 MiB" in pushed.err
    assert "! [remote rejected] main -> main" in pushed.err
    assert house.ref() == ""
    await house.settles(lambda: not house.children() and not house.quarantines())


@both
async def test_a_client_without_side_band_still_reads_the_reason(house: House, door: str) -> None:
    async def refuse(push: Push, out: Output) -> None:
        out.step("Building")
        raise invalid("Not like this.")

    house.pushes.recipe = refuse
    said = update(named("commit", COMMIT), capabilities="report-status") + GOOD
    heard = await converse(house, door, said)
    assert heard.endswith(b"000eunpack ok\n001fng refs/heads/main no good\n0000")


@both
async def test_a_client_killed_in_mid_pack_leaves_no_process_and_no_quarantine(house: House, door: str) -> None:
    client = await _stalled(house, door, update(named("commit", COMMIT)) + GOOD[:40])
    await house.settles(house.quarantines)
    assert house.children()
    os.killpg(client.pid, signal.SIGKILL)
    await house.settles(lambda: not house.children() and not house.quarantines())
    assert house.ref() == ""


@both
async def test_a_client_killed_in_mid_recipe_cancels_it_and_the_ref_stays(house: House, door: str) -> None:
    async def forever(push: Push, out: Output) -> None:
        out.step("Building")
        await asyncio.sleep(60)

    house.pushes.recipe = forever
    client = await house.start("git", "push", "-q", house.url(door, "web"), "main", cwd=await house.clone())
    await house.pushes.entered.wait()
    assert house.quarantines()
    os.killpg(client.pid, signal.SIGKILL)
    await asyncio.wait_for(house.pushes.cancelled.wait(), 5)
    await house.settles(lambda: not house.children() and not house.quarantines())
    assert house.ref() == ""


async def test_git_killed_alone_in_mid_recipe_cancels_it_once_a_line_does_not_reach_it(house: House) -> None:
    """The ssh client lives on for a while then, and only a write tells it that nobody reads."""

    async def talk(push: Push, out: Output) -> None:
        while True:
            out.detail("still building")
            await asyncio.sleep(0.05)

    house.pushes.recipe = talk
    client = await house.start("git", "push", "-q", house.ssh_url("web"), "main", cwd=await house.clone())
    await house.pushes.entered.wait()
    client.kill()
    await asyncio.wait_for(house.pushes.cancelled.wait(), 5)
    await house.settles(lambda: not house.children())
    assert house.ref() == ""


async def _stalled(house: House, door: str, said: bytes) -> asyncio.subprocess.Process:
    """A client that says something and then nothing, without hanging up."""
    command = [*house.ssh_command, "127.0.0.1", "git-receive-pack web"]
    if door == "http":
        await house.run("curl", "-s", f"{house.http_url('web')}/info/refs?service=git-receive-pack")
        kind = "Content-Type: application/x-git-receive-pack-request"
        command = ["curl", "-sN", "-XPOST", "-H", kind, "-T-", f"{house.http_url('web')}/git-receive-pack"]
    client = await house.start(*command)
    assert client.stdin
    client.stdin.write(said)
    return client
