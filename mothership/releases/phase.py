"""The release phase: commands that must succeed before a release starts (Heroku, "Release Phase").

predeploy (app.json) → release (Procfile) → the new processes start → postdeploy (app.json) → the route moves.
"""

import asyncio
from dataclasses import replace

from mothership.config import Settings
from mothership.engine import ContainerSpec, Engine
from mothership.errors import ReleaseFailed
from mothership.model import Release
from mothership.output import Output
from mothership.swarm import oneoff

RELEASE = "release"


class Phase:
    """Runs a release's own commands, each in a fresh container of its image and config."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    async def before(self, release: Release, out: Output) -> None:
        """Run what must come before the new processes. Raises ReleaseFailed."""
        await self._run(release, "predeploy", release.image.scripts.get("predeploy", ""), out)
        await self._run(release, RELEASE, release.image.processes.get(RELEASE, ""), out)

    async def after(self, release: Release, out: Output) -> None:
        """Run what waits for the new processes and comes before their traffic. Raises ReleaseFailed."""
        await self._run(release, "postdeploy", release.image.scripts.get("postdeploy", ""), out)

    async def _run(self, release: Release, kind: str, command: str, out: Output) -> None:
        if not command:
            return
        out.step(f"Running the {kind} command: {command[:200]}")
        await oneoff.fetch(self._settings, self._engine, release.image)
        made = oneoff.spec(self._settings, release, kind, oneoff.shell(release.image, command))
        try:
            async with asyncio.timeout(self._settings.release_time):
                code = await self._follow(replace(made, log_driver="none"), out)
        except TimeoutError:
            raise ReleaseFailed(
                f"The {kind} command of {release.app} was not done within {self._settings.release_time} seconds "
                "and was stopped.",
                "An admin can raise release_time in mothership.toml.",
                reason=f"{kind} command took too long",
            ) from None
        if code:
            raise ReleaseFailed(
                f"The {kind} command of {release.app} failed with exit code {code}.",
                "Its own output above says why. To go on without it: --skip-release, or git push -o skip-release.",
                reason=f"{kind} command failed",
            )

    async def _follow(self, spec: ContainerSpec, out: Output) -> int:
        async with self._engine.container(spec) as container:
            stream = await self._engine.attach(container)
            try:
                await self._engine.start(container)
                async for line in stream.lines():
                    out.detail(line)
                return await self._engine.wait(container)
            finally:
                stream.close()
