"""The recipe of a push: build, release, ship, route.

It runs when the pack has been received and checked, before git moves the ref: a recipe that ran after the ref had
moved could not reject the push any more.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from builder import Builder, Source
from hooks.pre_receive import Decision, decide
from mothership.config import Settings
from mothership.errors import BuildFailed, Conflict, MothershipError, NotFound, Refused
from mothership.model import Image, Push, RefUpdate, Release, User, app_name
from mothership.output import Output
from mothership.releases import AppLocks, BuildSlots, Order, Shipper
from mothership.releases.buildlog import BuildLog
from mothership.repos import Repos
from mothership.store import Accounts, App, Apps, Builds, Releases

SHORT = 7


class Deployer:
    """Answers git's doors (`mothership.doors.Pushes`): which repository, and what a push does."""

    def __init__(
        self,
        settings: Settings,
        accounts: Accounts,
        apps: Apps,
        releases: Releases,
        builds: Builds,
        repos: Repos,
        builder: Builder,
        shipper: Shipper,
        locks: AppLocks,
        slots: BuildSlots,
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._apps = apps
        self._releases = releases
        self._builds = builds
        self._repos = repos
        self._builder = builder
        self._shipper = shipper
        self._locks = locks
        self._slots = slots

    async def repository(self, app: str, user: User, *, write: bool) -> Path:
        """The app's repository; a push to an unknown name creates the app when the user may. Raises MothershipError."""
        app_name(app)
        if self._apps.exists(app):
            found = self._apps.get(app)
            if not self._apps.may_use(found, user):
                raise _unknown(app, write=write)
        elif not write or not self._accounts.may_create(user):
            raise _unknown(app, write=write)
        else:
            found = self._apps.create(app, user)
        return await self._repos.create(found.name, branch=found.branch)

    @asynccontextmanager
    async def receive(self, push: Push, out: Output) -> AsyncIterator[None]:
        """Do what the push means, holding the app's lock until git has moved the refs."""
        async with self._locks.hold(push.app, out):
            app = self._apps.get(push.app)
            self._refuse_stale(push)
            decision = decide(push, branch=app.branch, released=bool(app.current))
            with self._noted(app, decision.deploy):
                if decision.deploy:
                    await self._deploy(app, push, decision, decision.deploy, out)
                for note in decision.notes:
                    out.step(note)
                if decision.branch != app.branch:
                    self._apps.set_branch(app, decision.branch)
                yield

    def nothing_new(self, app: str, out: Output) -> None:
        """Say what serves, and how to have it built again, to a push that found nothing to send."""
        current = self._releases.current(app)
        if current is None:
            out.step(f"{app} has no release yet, and this push brings nothing new.")
        else:
            out.step(f"{app} serves {current.commit[:SHORT]} (v{current.version}); this push brings nothing new.")
        out.detail("To build and release it again: mothership redeploy")

    @contextmanager
    def _noted(self, app: App, update: RefUpdate | None) -> Iterator[None]:
        """Keep a note of the deploy branch's move until git has exited; only a dead daemon leaves it behind."""
        if update is None:
            yield
            return
        self._releases.agree(app.name, update)
        try:
            yield
        finally:
            self._releases.settle(app.name, update.ref)

    async def redeploy(self, app: App, user: User, out: Output, *, no_cache: bool = False) -> Release:
        """Build the deploy branch's commit again and ship it. The caller holds the app's lock."""
        commit = self._repos.ref(app.name, f"refs/heads/{app.branch}")
        if not commit:
            raise NotFound(f"{app.name} has nothing to deploy yet.", f"Push first: git push mothership {app.branch}")
        source = self._source(app, commit, no_cache=no_cache)
        image = await self._build(source, user, out)
        return await self._ship(app, image, commit, user, f"Redeploy {commit[:SHORT]}", out)

    async def forget(self, app: App) -> None:
        """Take an app down and delete all that belongs to it. The caller holds the app's lock."""
        await self._shipper.forget(app.name)
        self._apps.delete(app)
        await self._repos.delete(app.name)
        await self._builder.forget(app.name)

    def mend_refs(self) -> None:
        """Move the refs that a crash kept from moving, between the verdict and git's own write, where the push serves.

        Only a ref that is still where that push found it moves; anything else was done by somebody since. It comes
        before the sweep: a quarantine that git did not come to adopt may hold the objects.
        """
        for app, update in self._releases.agreed():
            current = self._releases.current(app)
            serves = current is not None and current.commit == update.new
            if serves and self._repos.rescue(app, update.new) and self._at(app, update.ref, update.old):
                self._repos.set_ref(app, update.ref, update.new)
            self._releases.settle(app, update.ref)

    async def _deploy(self, app: App, push: Push, decision: Decision, update: RefUpdate, out: Output) -> None:
        current = self._releases.current(app.name)
        if current and current.commit == update.new and not decision.options.dry_run:
            out.step(f"{update.new[:SHORT]} is what {app.name} serves already (v{current.version}).")
            out.detail("To build and release it again: mothership redeploy")
            return
        source = self._source(app, update.new, quarantine=push.quarantine, no_cache=decision.options.no_cache)
        image = await self._build(source, push.user, out)
        if decision.options.dry_run:
            raise Refused("Dry run: built, not deployed.", reason="dry run: built, not deployed")
        await self._ship(app, image, update.new, push.user, f"Deploy {update.new[:SHORT]}", out)

    def _source(self, app: App, commit: str, *, quarantine: str = "", no_cache: bool = False) -> Source:
        return Source(
            app=app.name,
            commit=commit,
            repository=self._repos.path(app.name),
            quarantine=quarantine,
            config=self._apps.config(app),
            no_cache=no_cache,
            buildpacks=app.buildpacks,
            build_id="",
        )

    async def _build(self, source: Source, user: User, out: Output) -> Image:
        """Build in a slot, with a record and a log that outlive the push."""
        build = self._builds.begin(source.app, source.commit, user.name)
        status, image = "failed", None
        with BuildLog(self._settings.data, source.app, build) as file:
            try:
                async with self._slots.take(out):
                    image = await self._builder.build(replace(source, build_id=build), out.also(file.write))
                status = "succeeded"
            except asyncio.CancelledError:
                status = "cancelled"
                raise
            except OSError as error:
                raise BuildFailed(f"The build could not be carried out: {error.strerror or error}.") from error
            finally:
                self._builds.end(build, status, image)
        return image

    async def _ship(self, app: App, image: Image, commit: str, user: User, description: str, out: Output) -> Release:
        order = Order(
            app=app,
            image=image,
            config=self._apps.config(app),
            commit=commit,
            user=user.name,
            description=description,
        )
        try:
            release = await self._shipper.ship(order, out)
        except MothershipError:
            serving = self._releases.current(app.name)
            if serving:
                out.step(f"v{serving.version} still serves, untouched.")
            raise
        announce(self._settings, release, out)
        return release

    def _refuse_stale(self, push: Push) -> None:
        for update in push.updates:
            if not self._at(push.app, update.ref, update.old):
                raise Conflict(
                    f"{update.ref} of {push.app} moved meanwhile.",
                    "Fetch, merge or rebase, and push again.",
                    reason="stale: the branch moved meanwhile",
                )

    def _at(self, app: str, ref: str, commit: str) -> bool:
        """Whether a ref points at a commit; all zeros mean that there is no such ref."""
        return (self._repos.ref(app, ref) or "0" * len(commit)) == commit


def announce(settings: Settings, release: Release, out: Output) -> None:
    """Say where the release serves."""
    if release.formation.get("web"):
        out.step(f"Serving v{release.version}")
        out.detail(f"{settings.app_url(release.app)} deployed to Mothership")
        return
    out.step(f"Released v{release.version}")
    running = ", ".join(f"{process}={n}" for process, n in release.formation.items() if n)
    if "web" not in release.image.processes:
        out.detail("No web process type: add one to the Procfile to be reachable, such as web: python app.py")
    out.detail(f"Running: {running or 'nothing'}. Change it: mothership ps:scale TYPE=N")


def _unknown(app: str, *, write: bool) -> NotFound:
    hint = "Check the name in the remote's URL: git remote -v"
    if write:
        hint += ". Only users who may create apps make a new one by pushing."
    return NotFound(f"There is no app {app!r}, or you have no access to it.", hint, reason="no such app")
