"""Locks, build slots, logs and diagnosis, each without an engine."""

import asyncio
import socket
from pathlib import Path

import pytest

from mothership.errors import Conflict, Refused
from mothership.output import Output
from mothership.releases.diagnosis import listening
from mothership.releases.locks import AppLocks, BuildSlots
from mothership.releases.running import Running
from mothership.swarm.network import free


async def test_a_second_deploy_of_an_app_waits_and_is_told() -> None:
    locks, lines, order = AppLocks(), list[str](), list[str]()

    async def deploy(name: str) -> None:
        async with locks.hold("blog", Output(lines.append)):
            order.append(f"{name} in")
            await asyncio.sleep(0.01)
            order.append(f"{name} out")

    await asyncio.gather(deploy("a"), deploy("b"))
    assert order == ["a in", "a out", "b in", "b out"]
    assert lines == ["-----> Another deploy of blog is under way; this one waits for it to finish."]


async def test_builds_over_the_limit_queue_and_see_their_place() -> None:
    slots, go = BuildSlots(1), asyncio.Event()
    told: dict[str, list[str]] = {"a": [], "b": [], "c": []}

    async def build(name: str) -> None:
        async with slots.take(name, Output(told[name].append)):
            await go.wait()

    tasks = [asyncio.create_task(build(name)) for name in told]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*tasks)
    assert told["a"] == []
    assert "number 1 in the queue" in told["b"][0]
    assert "number 2 in the queue" in told["c"][0] and told["c"][1].endswith("Number 1 in the queue now.")


async def test_a_build_that_is_cancelled_in_the_queue_leaves_its_place() -> None:
    slots, quiet, go = BuildSlots(1), Output(), asyncio.Event()

    async def build() -> str:
        async with slots.take("blog", quiet):
            await go.wait()
        return "built"

    first, second, third = (asyncio.create_task(build()) for _ in range(3))
    await asyncio.sleep(0)
    second.cancel()
    go.set()
    assert await first == await third == "built"
    async with asyncio.timeout(1), slots.take("blog", quiet):
        pass


def test_listening_ports_are_read_from_the_kernels_table() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert ("127.0.0.1", server.getsockname()[1]) in listening(Path("/proc/self/net"))


def test_a_free_subnet_overlaps_none_that_is_taken() -> None:
    assert free(["10.200.0.0/16", "10.201.0.0/16"], ["10.200.5.0/24", "fd00::/64"]) == ["10.201.0.0/16"]


async def test_a_newer_push_overtakes_one_that_waits_and_never_a_command() -> None:
    locks, ended = AppLocks(), list[str]()

    async def hold(name: str, *, push: bool) -> None:
        try:
            async with locks.hold("blog", Output(), push=push):
                await asyncio.sleep(0.01)
                ended.append(name)
        except Conflict as error:
            ended.append(f"{name}: {error.reason}")

    await asyncio.gather(
        hold("serving", push=True), hold("older", push=True), hold("command", push=False), hold("newer", push=True)
    )
    assert ended == ["older: superseded by a newer push", "serving", "command", "newer"]
    assert not locks.held("blog")


async def test_a_push_that_queues_for_a_build_slot_is_overtaken() -> None:
    slots, go = BuildSlots(1), asyncio.Event()

    async def build(app: str) -> str:
        try:
            async with slots.take(app, Output()):
                await go.wait()
                return "built"
        except Conflict:
            return "overtaken"

    first, second, third = (asyncio.create_task(build(app)) for app in ("shop", "blog", "wiki"))
    await asyncio.sleep(0)
    slots.overtake("blog")
    go.set()
    assert [await first, await second, await third] == ["built", "overtaken", "built"]
    async with asyncio.timeout(1), slots.all():
        pass


async def test_a_deploy_that_somebody_cancels_says_who_and_can_clean_up() -> None:
    running, cleaned = Running(), list[str]()

    async def deploy() -> None:
        with running.entered("b1"):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0)
                cleaned.append("yes")

    task = asyncio.create_task(deploy())
    await asyncio.sleep(0)
    assert await running.cancel("b1", "ada")
    with pytest.raises(Refused, match="Cancelled by ada"):
        await task
    assert cleaned == ["yes"]
    assert not await running.cancel("b1", "ada")


async def test_a_deploy_whose_client_vanishes_is_cancelled_and_not_by_somebody() -> None:
    running = Running()

    async def deploy() -> None:
        with running.entered("b1"):
            await asyncio.sleep(60)

    task = asyncio.create_task(deploy())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
