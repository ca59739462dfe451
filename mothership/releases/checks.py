"""Looking at one task by one check: over HTTP through the proxy, or by a command in its container."""

import asyncio
from collections.abc import AsyncIterator

from mothership.engine import Engine
from mothership.errors import MothershipError, NotFound, ReleaseFailed
from mothership.health import Check
from mothership.model import Release
from mothership.output import Output
from mothership.swarm import oneoff
from mothership.swarm.plan import port
from mothership.swarm.tasks import Task
from router import Router, Target

LAUNCHER = "/mothership/launcher"
SHOWN = 200
ELSEWHERE = (
    "it runs on another machine of the Swarm, where its command can't be run from here; a check by path reaches it"
)


class Examiner:
    """Answers whether a task is healthy, in words when it isn't."""

    def __init__(self, engine: Engine, router: Router) -> None:
        self._engine = engine
        self._router = router

    async def startup(self, release: Release, task: Task, check: Check, out: Output) -> None:
        """Return when a startup check has passed. Raises ReleaseFailed when all its attempts failed."""
        await asyncio.sleep(check.initial_delay)
        why = ""
        for attempt in range(check.attempts):
            if attempt:
                await asyncio.sleep(check.wait)
            if not (why := await self.look(release, task, check)):
                return
        text = f"{task.process}.{task.slot} of {release.app} failed its {check.title} {check.attempts} times: {why}"
        if check.warn:
            out.detail(f"Warning: {text}.")
            return
        raise ReleaseFailed(
            f"{text}.", "The check is in app.json; docs/checks.md says how it counts.", reason="startup check failed"
        )

    async def look(self, release: Release, task: Task, check: Check) -> str:
        """Why the task isn't healthy by this check, "" when it is."""
        try:
            async with asyncio.timeout(check.timeout):
                if check.command:
                    return await self._by_command(release, task, check)
                if check.path:
                    return await self._by_request(release, task, check)
                return ""
        except TimeoutError:
            return f"no answer within {check.timeout} seconds"
        except (ConnectionError, MothershipError) as error:
            return str(error)

    async def _by_request(self, release: Release, task: Task, check: Check) -> str:
        target = Target(task.id, task.address, check.port or port(release))
        reply = await self._router.ask(release.app, target, check.path, check.headers, timeout=check.timeout)
        if not 200 <= reply.status < 400:
            return f"it answered {reply.status}"
        if check.content and check.content.encode() not in reply.body:
            return f"its answer has no {check.content[:SHOWN]!r} in it"
        return ""

    async def _by_command(self, release: Release, task: Task, check: Check) -> str:
        argv = check.command
        if release.image.kind in ("buildpack", "cnb"):
            argv = (LAUNCHER, *oneoff.words(release.image, check.command))
        try:
            run, stream = await self._engine.exec(task.container, argv)
        except NotFound:
            if task.node == await self._engine.node():
                raise
            return ELSEWHERE
        try:
            said = await _last(stream.lines())
            code = await self._engine.exec_code(run)
        finally:
            stream.close()
        return f"exit code {code}{f', {said[:SHOWN]}' if said else ''}" if code else ""


async def _last(lines: AsyncIterator[str]) -> str:
    said = ""
    async for line in lines:
        said = line or said
    return said
