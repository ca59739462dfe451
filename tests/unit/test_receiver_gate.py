"""The gate by itself: whoever doesn't hear "ok" keeps the refs where they are."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mothership.config import Settings
from mothership.model import Push
from mothership.output import Output
from mothership.repos import Repos
from receiver import child, gate
from receiver.pack import Packs
from receiver.wire import Call
from tests.unit.receiver_house import ANN, Recipes
from tests.unit.receiver_packs import COMMIT, GOOD, named, update

PUSH = update(named("commit", COMMIT)) + GOOD
CALL = Call(child.RECEIVE, "web", ANN, stateless=True)


class Script:
    """A client that says what it is told to, and hangs up when it is told to."""

    def __init__(self, said: bytes) -> None:
        self.said = [said]
        self.heard = b""
        self.complaints = b""
        self.gone = False

    async def read(self, size: int) -> bytes:
        return self.said.pop() if self.said else b""

    async def send(self, data: bytes) -> None:
        if self.gone:
            raise ConnectionResetError("gone")
        self.heard += data

    def complain(self, data: bytes) -> None:
        self.complaints += data


class Late(Recipes):
    """Something happens between our consent and git's exit."""

    def __init__(self, repos: Repos) -> None:
        super().__init__(repos)
        self.after_consent = lambda: None

    @contextlib.asynccontextmanager
    async def receive(self, push: Push, out: Output) -> AsyncIterator[None]:
        async with super().receive(push, out):
            asyncio.get_running_loop().call_soon(self.after_consent)
            yield


@pytest.fixture
def pushes(tmp_path: Path) -> Late:
    return Late(Repos(tmp_path))


async def serve(pushes: Recipes, tmp_path: Path, wire: Script) -> int:
    repository = await pushes.repos.create("web")
    return await Packs(Settings(data=tmp_path), pushes).serve(CALL, repository, wire)


async def test_a_client_lost_after_the_consent_changes_nothing(pushes: Late, tmp_path: Path) -> None:
    """The release is in place by then, so the ref follows, and the lock is held until it has."""
    task = asyncio.ensure_future(serve(pushes, tmp_path, Script(PUSH)))
    pushes.after_consent = task.cancel  # type: ignore[assignment]
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert pushes.left == [""]
    assert pushes.repos.ref("web", "refs/heads/main") == named("commit", COMMIT)


async def test_a_client_that_does_not_take_the_report_changes_nothing(pushes: Late, tmp_path: Path) -> None:
    wire = Script(PUSH)
    pushes.after_consent = lambda: setattr(wire, "gone", True)  # type: ignore[assignment]
    with pytest.raises(ConnectionResetError):
        await serve(pushes, tmp_path, wire)
    assert pushes.left == [""]
    assert pushes.repos.ref("web", "refs/heads/main") == named("commit", COMMIT)


async def test_a_client_that_does_not_take_a_line_cancels_the_recipe(pushes: Late, tmp_path: Path) -> None:
    wire = Script(PUSH)

    async def talk(push: Push, out: Output) -> None:
        wire.gone = True
        out.step("anybody there?")
        await asyncio.sleep(30)

    pushes.recipe = talk
    with pytest.raises(ConnectionResetError):
        await serve(pushes, tmp_path, wire)
    assert pushes.cancelled.is_set()
    assert pushes.repos.ref("web", "refs/heads/main") == ""


async def test_lines_may_be_said_from_any_thread(pushes: Late, tmp_path: Path) -> None:
    async def speak(push: Push, out: Output) -> None:
        await asyncio.to_thread(out.step, "from a thread")
        await asyncio.sleep(0)

    pushes.recipe = speak
    wire = Script(PUSH)
    assert await serve(pushes, tmp_path, wire) == 0
    assert b"\x02-----> from a thread\n" in wire.heard


async def test_a_flood_of_lines_to_a_stalled_client_stays_small_and_is_told(pushes: Late, tmp_path: Path) -> None:
    wire = Script(PUSH)
    stalled, send = asyncio.Event(), wire.send

    async def slow(data: bytes) -> None:
        if b"line" in data:
            await stalled.wait()
        await send(data)

    async def flood(push: Push, out: Output) -> None:
        for number in range(100_000):
            out.raw(f"line {number} " + "x" * 50)
        asyncio.get_running_loop().call_later(0.1, stalled.set)

    pushes.recipe = flood
    wire.send = slow  # type: ignore[method-assign]
    assert await serve(pushes, tmp_path, wire) == 0
    assert len(wire.heard) < 2 << 20
    assert wire.heard.count(b"(Lines are missing here") == 1
    assert wire.heard.endswith(b"000eunpack ok\n0017ok refs/heads/main\n00000000")


@pytest.mark.parametrize("verdict", ["no", "ok but", "", None])
async def test_only_ok_lets_the_refs_move(tmp_path: Path, verdict: str | None) -> None:
    repository = await Repos(tmp_path).create("web")
    config = child.receive_config(Settings(data=tmp_path), gate.install(tmp_path / "hooks"), repository)
    command = child.argv(child.RECEIVE, repository, config, "--stateless-rpc")
    async with gate.opened() as (ours, theirs):
        env = child.environment(**{gate.VARIABLE: str(theirs.fileno())})
        async with child.spawned(command, env, _ignore, inherit=[theirs.fileno()]) as git:
            theirs.close()
            assert git.stdin and git.stdout
            git.stdin.write(PUSH)
            question = await ours.question()
            assert question and question.updates[0].ref == "refs/heads/main"
            if verdict is None:
                ours._writer.close()  # as when the daemon dies
            else:
                ours.answer(verdict)
            heard = await git.stdout.read()
    assert b"ng refs/heads/main pre-receive hook declined" in heard
    assert Repos(tmp_path).ref("web", "refs/heads/main") == ""
    assert not list(repository.glob("objects/tmp_objdir*"))


async def test_a_push_that_dies_unasked_ends_the_question(tmp_path: Path) -> None:
    async with gate.opened() as (ours, theirs):
        theirs.close()
        assert await ours.question() is None


def test_the_hook_is_executable_however_it_was_installed(tmp_path: Path) -> None:
    hook = gate.install(tmp_path / "hooks") / "pre-receive"
    assert os.access(hook, os.X_OK)
    hook.chmod(0o600)
    assert os.access(gate.install(tmp_path / "hooks") / "pre-receive", os.X_OK)


async def test_a_child_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "secret")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    env = child.environment("version=2")
    assert set(env) == {"PATH", "HOME", "LANG", "GIT_CONFIG_NOSYSTEM", "GIT_PROTOCOL"}
    assert env["HOME"] == "/nonexistent"


async def test_a_child_that_will_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "PATIENCE", (0.1, 0.1, 5.0))
    stubborn = ["bash", "-c", "trap '' TERM; while :; do sleep 0.05; done"]
    with pytest.raises(ConnectionError):
        async with child.spawned(stubborn, child.environment(), _ignore) as git:
            raise ConnectionError
    assert git.returncode == -9


def _ignore(said: bytes) -> None:
    pass


def test_the_limits_reach_git(tmp_path: Path) -> None:
    config = child.receive_config(replace(Settings(), max_input_size=7), tmp_path, tmp_path)
    assert config["receive.maxInputSize"] == str(7 * 1024 * 1024)
    assert config["receive.keepAlive"] == "5"
    assert config["receive.fsckObjects"] == "true"
