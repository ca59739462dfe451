"""The recipe of a deploy: build, release, ship, route; recorded, logged and cancellable."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder import Builder, Source
from hooks.submodules import Submodules
from mothership.applogs import AppLogs
from mothership.config import Settings
from mothership.errors import BuildFailed, MothershipError, Refused
from mothership.model import Image, Release
from mothership.output import Output
from mothership.releases import BuildSlots, Order, Shipper
from mothership.releases.buildlog import BuildLog
from mothership.releases.locks import SUPERSEDED
from mothership.releases.running import Running
from mothership.store import App, Apps, Builds, Releases

SHORT = 7


@dataclass(frozen=True)
class Job:
    """One commit to deploy to one app. `repository` holds it, or `quarantine` beside it; `build` is its record.

    A source that is still to come has an `arrive`, which brings it and gives the job with its commit; leaving it
    after a success keeps the commit. `origin` is the URL it was pulled from, if it was. `make` makes the image in the
    builder's place.
    """

    app: App
    commit: str
    repository: Path
    user: str
    description: str
    build: str
    quarantine: str = ""
    no_cache: bool = False
    dry_run: bool = False
    phase: bool = True
    arrive: Callable[["Job", Output], AbstractAsyncContextManager["Job"]] | None = None
    origin: str = ""
    make: Callable[[Source, Output], Awaitable[Image]] | None = None


class Recipe:
    """Carries out jobs. Each leaves a record and a log that outlive the push."""

    def __init__(
        self,
        settings: Settings,
        apps: Apps,
        releases: Releases,
        builds: Builds,
        builder: Builder,
        shipper: Shipper,
        slots: BuildSlots,
        running: Running,
        logs: AppLogs,
        submodules: Submodules,
    ) -> None:
        self._settings = settings
        self._apps = apps
        self._releases = releases
        self._builds = builds
        self._builder = builder
        self._shipper = shipper
        self._slots = slots
        self._running = running
        self._logs = logs
        self._submodules = submodules

    async def deploy(self, job: Job, out: Output) -> Release:
        """Build the job's commit and bring it to serve. The caller holds the app's lock. Raises MothershipError."""
        logged = self._logs.of(job.app.name).sink("build")
        with (
            BuildLog(self._settings.data, job.app.name, job.build) as file,
            self._recorded(job, Output(file.write, logged).hiding(self._apps.secret_values(job.app))),
            self._running.entered(job.build),
        ):
            told = out.also(file.write).hiding(self._apps.secret_values(job.app))
            building = out.also(file.write, logged).hiding(self._apps.secret_values(job.app))
            async with _here(job, building) as job:
                image = await self._build(job, building)
                if job.dry_run:
                    raise Refused("Dry run: built, not deployed.", reason="dry run: built, not deployed")
                return await self._ship(job, image, told)

    @contextmanager
    def _recorded(self, job: Job, log: Output) -> Iterator[None]:
        """Keep how the deploy ended, and in its log why."""
        status = "failed"
        try:
            yield
            status = "succeeded"
        except MothershipError as error:
            status = {"cancelled": "cancelled", SUPERSEDED: "superseded"}.get(error.reason, "failed")
            for text in filter(None, (error.message, error.hint)):
                log.error(text)
            raise
        except asyncio.CancelledError:
            status = "cancelled"
            log.error("Cancelled: the client went away, or the server stopped.")
            raise
        finally:
            self._builds.end(job.build, status)

    async def _build(self, job: Job, out: Output) -> Image:
        source = Source(
            app=job.app.name,
            commit=job.commit,
            repository=job.repository,
            quarantine=job.quarantine,
            config=self._apps.config(job.app),
            no_cache=job.no_cache,
            buildpacks=job.app.buildpacks,
            build_id=job.build,
            builder=job.app.builder,
            key=self._submodules.key(job.app.name),
            met=lambda hosts: self._submodules.met(job.app.name, hosts),
        )
        try:
            async with self._slots.take(job.app.name, out):
                image = await self._made(job, source, out)
        except OSError as error:
            raise BuildFailed(f"The build could not be carried out: {error.strerror or error}.") from error
        self._builds.built(job.build, image)
        return image

    async def _made(self, job: Job, source: Source, out: Output) -> Image:
        if job.make:
            return await job.make(source, out)
        async with self._submodules.beside(source, out, origin=job.origin) as whole:
            return await self._builder.build(whole, out)

    async def _ship(self, job: Job, image: Image, out: Output) -> Release:
        order = Order(
            app=job.app,
            image=image,
            config=self._apps.config(job.app),
            commit=job.commit,
            user=job.user,
            description=job.description,
            phase=job.phase,
        )
        try:
            release = await self._shipper.ship(order, out)
        except MothershipError:
            serving = self._releases.current(job.app.name)
            if serving:
                out.step(f"v{serving.version} still serves, untouched.")
            raise
        announce(self._settings, release, out)
        return release


@asynccontextmanager
async def _here(job: Job, out: Output) -> AsyncIterator[Job]:
    """The job with its source here."""
    if job.arrive is None:
        yield job
        return
    try:
        async with job.arrive(job, out) as arrived:
            yield arrived
    except OSError as error:
        raise BuildFailed(f"The source could not be taken: {error.strerror or error}.") from error


def announce(settings: Settings, release: Release, out: Output) -> None:
    """Say where the release serves."""
    if release.formation.get("web"):
        out.step(f"Serving v{release.version}")
        out.detail(f"{settings.app_url(release.app)} deployed to Mothership")
        return
    out.step(f"Released v{release.version}")
    running = ", ".join(f"{process}={n}" for process, n in release.formation.items() if n)
    if "web" not in release.image.processes:
        out.detail("No web process type: to be reachable, add a line to the Procfile: web: COMMAND")
    out.detail(f"Running: {running or 'nothing'}. Change it: mothership ps:scale TYPE=N")
