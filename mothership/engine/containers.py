"""The engine's containers: their life, their streams, processes beside theirs, and what they print."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from mothership.engine.calls import Calls, labelled
from mothership.engine.container import ContainerSpec
from mothership.engine.follow import Line, follow, starts
from mothership.engine.stream import Stream, hijack
from mothership.errors import Conflict, MothershipError, NotFound


class Containers(Calls):
    """Containers by id or name."""

    async def create(self, spec: ContainerSpec, name: str = "") -> str:
        """Create a container and return its id."""
        made = await self.call(lambda api: api.create_container_from_config(spec.body(), name or None))
        return str(made["Id"])

    async def start(self, container: str) -> None:
        await self.call(lambda api: api.start(container))

    async def stop(self, container: str, *, timeout: int = 10) -> None:
        await self.call(lambda api: api.stop(container, timeout=timeout))

    async def kill(self, container: str, signal: str = "KILL") -> None:
        await self.call(lambda api: api.kill(container, signal))

    async def wait(self, container: str) -> int:
        """Wait until the container ends; its exit code."""
        answer = await self.call(lambda api: api.wait(container, timeout=86400 * 30))
        return int(answer["StatusCode"])

    async def remove(self, container: str) -> None:
        """Remove a container, running or not, with its anonymous volumes; an absent one is fine."""
        with contextlib.suppress(NotFound, Conflict):
            await self.call(lambda api: api.remove_container(container, force=True, v=True))

    async def inspect(self, container: str) -> dict[str, Any]:
        return await self.call(lambda api: api.inspect_container(container))

    async def containers(self, labels: Mapping[str, str], *, stopped: bool = True) -> list[dict[str, Any]]:
        """Containers that carry every one of the labels."""
        return await self.call(lambda api: api.containers(all=stopped, filters={"label": labelled(labels)}))

    async def attach(self, container: str, *, tty: bool = False, stdin: bool = False) -> Stream:
        """Attach to a container that is about to start; nothing it prints is missed."""
        query = f"stream=1&stdout=1&stderr=1&stdin={int(stdin)}"
        path = await self.path(f"/containers/{container}/attach?{query}")
        return await hijack(self.socket, path, None, tty=tty)

    async def resize(self, container: str, *, rows: int, columns: int) -> None:
        with contextlib.suppress(MothershipError):
            await self.call(lambda api: api.resize(container, rows, columns))

    async def exec(
        self,
        container: str,
        argv: tuple[str, ...],
        *,
        env: Mapping[str, str] | None = None,
        user: str = "",
        workdir: str = "",
        stdin: bool = False,
        tty: bool = False,
    ) -> tuple[str, Stream]:
        """Start a process in a running container: its exec id (for `exec_code`) and its streams."""
        made = await self.call(
            lambda api: api.exec_create(
                container,
                list(argv),
                environment=dict(env or {}),
                user=user,
                workdir=workdir or None,
                stdin=stdin,
                tty=tty,
            )
        )
        body = {"Detach": False, "Tty": tty}
        stream = await hijack(self.socket, await self.path(f"/exec/{made['Id']}/start"), body, tty=tty)
        return str(made["Id"]), stream

    async def exec_resize(self, exec_id: str, *, rows: int, columns: int) -> None:
        with contextlib.suppress(MothershipError):
            await self.call(lambda api: api.exec_resize(exec_id, rows, columns))

    async def exec_code(self, exec_id: str) -> int:
        """The exit code of an exec whose output has ended."""
        while True:
            state = await self.call(lambda api: api.exec_inspect(exec_id))
            if not state["Running"]:
                return int(state["ExitCode"])
            await asyncio.sleep(0.005)

    @contextlib.asynccontextmanager
    async def container(self, spec: ContainerSpec, name: str = "") -> AsyncIterator[str]:
        """A created (not started) container that is gone afterwards, whatever happens, cancellation included."""
        creating = asyncio.ensure_future(self.create(spec, name))
        try:
            container = await asyncio.shield(creating)
        except asyncio.CancelledError:
            with contextlib.suppress(MothershipError):
                await self.remove(await creating)
            raise
        try:
            yield container
        finally:
            await asyncio.shield(asyncio.ensure_future(self.remove(container)))

    async def logs(self, container: str, *, tail: int = 30) -> list[str]:
        """The last lines a container printed."""
        data = await self.call(lambda api: api.logs(container, tail=tail))
        return str(data.decode(errors="replace")).splitlines()

    async def follow(self, container: str, *, since: str = "0", wait: bool = True) -> AsyncGenerator[Line, None]:
        """Yield the container's lines as it prints, until it ends; without `wait`, those of before."""
        path = await self.path(f"/containers/{container}/logs")
        async with contextlib.aclosing(follow(self.socket, path, since=since, wait=wait)) as lines:
            async for line in lines:
                yield line

    async def starts(self, labels: Mapping[str, str]) -> AsyncIterator[tuple[str, dict[str, str]]]:
        """Yield (container, its labels) as containers that carry every one of the labels start."""
        async for started in starts(self.socket, await self.path("/events"), labelled(labels)):
            yield started
