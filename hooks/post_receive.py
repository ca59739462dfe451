"""The recipe of a push: build, release, ship, route.

It runs when the pack has been received and checked, before git moves the ref: a recipe that ran after the ref had
moved could not reject the push any more.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from builder import Builder
from hooks.deliver import Deliveries, How
from hooks.detach import Detached
from hooks.pre_receive import Decision, decide
from hooks.previews import Previews
from hooks.recipe import SHORT, Job, Recipe
from hooks.rename import Renaming
from mothership.errors import Conflict, MothershipError, NotFound, Refused
from mothership.model import Push, RefUpdate, Release, Role, User, app_name
from mothership.output import Output
from mothership.releases import AppLocks, BuildSlots, Shipper
from mothership.releases.running import Running
from mothership.repos import Repos
from mothership.store import Accounts, App, Apps, Audit, Builds, Entry, Releases

LONGEST = 500


class Deployer:
    """Answers git's doors (`mothership.doors.Pushes`): which repository, and what a push does."""

    def __init__(
        self,
        accounts: Accounts,
        apps: Apps,
        releases: Releases,
        builds: Builds,
        audit: Audit,
        repos: Repos,
        builder: Builder,
        shipper: Shipper,
        locks: AppLocks,
        slots: BuildSlots,
        recipe: Recipe,
        renaming: Renaming,
        running: Running,
        deliveries: Deliveries | None = None,
        *,
        preview_days: int,
        detached: Detached | None = None,
    ) -> None:
        self._accounts = accounts
        self._apps = apps
        self._releases = releases
        self._builds = builds
        self._audit = audit
        self._repos = repos
        self._builder = builder
        self._shipper = shipper
        self._locks = locks
        self._slots = slots
        self._recipe = recipe
        self.renaming = renaming
        self.detached = detached or Detached(builds, releases, repos, locks, recipe, running)
        self.deliveries = deliveries
        self.previews = Previews(apps, builds, repos, recipe, locks, self.forget, preview_days)

    async def repository(self, app: str, user: User, *, write: bool) -> Path:
        """The app's repository; a push to an unknown name creates the app when the user may. Raises MothershipError."""
        app_name(app)
        if self._apps.exists(app):
            found = self._apps.get(app)
            role = self._apps.role(found, user)
            if role is None:
                raise _unknown(app, write=write)
            if role < Role.DEPLOYER:
                raise Refused(
                    f"{user.name} is a viewer of {app}: its source is for deployers.", reason="not a deployer"
                )
        elif not write or not self._accounts.may_create(user):
            raise _unknown(app, write=write)
        else:
            found = self._apps.create(app, user)
        return await self._repos.create(found.name, branch=found.branch)

    @asynccontextmanager
    async def receive(self, push: Push, out: Output) -> AsyncIterator[None]:
        """Do what the push means, holding the app's lock until git has moved the refs."""
        with self._audited(push):
            async with self._received(push, out):
                yield

    @asynccontextmanager
    async def _received(self, push: Push, out: Output) -> AsyncIterator[None]:
        deploys = f"refs/heads/{self._apps.get(push.app).branch}" in {update.ref for update in push.updates}
        if deploys:
            self._slots.overtake(push.app)
        async with self._locks.hold(push.app, out, push=deploys):
            app = self._apps.get(push.app)
            self._refuse_stale(push)
            decision = decide(push, branch=app.branch, released=bool(app.current))
            self._refuse_skipping(app, push.user, decision)
            if decision.deploy and decision.options.detach:
                job = self._job(app, push, decision, decision.deploy)
                async with self.detached.handed_over(job, decision.deploy, out):
                    self._remark(app, decision, out)
                    yield
                return
            with self._noted(app, decision.deploy):
                if decision.deploy:
                    await self._deploy(app, push, decision, decision.deploy, out)
                for update in decision.previews:
                    await self.previews.receive(app, push, update, out, phase=not decision.options.skip_release)
                self._remark(app, decision, out)
                yield

    async def redeploy(
        self, app: App, user: User, out: Output, *, no_cache: bool, phase: bool = True, branch: bool = False
    ) -> Release:
        """Build again what was deployed last, or the deploy branch, and ship it. The caller holds the app's lock."""
        last = None if branch or not self.deliveries else self._builds.last(app.name)
        if last and last.source and self.deliveries:
            release = await self.deliveries.again(app, user.name, last, How(no_cache, phase), out)
            if release:
                return release
            out.step(f"The source of the last deploy is gone; this builds {app.branch}.")
        repository = app.parent or app.name
        commit = self._repos.ref(repository, f"refs/heads/{app.branch}")
        if not commit:
            raise NotFound(f"{app.name} has nothing to deploy yet.", f"Push first: git push mothership {app.branch}")
        job = Job(
            app=app,
            commit=commit,
            repository=self._repos.path(repository),
            user=user.name,
            description=f"Redeploy {commit[:SHORT]}",
            build=self._builds.begin(app.name, commit, user.name),
            no_cache=no_cache,
            phase=phase,
        )
        return await self._recipe.deploy(job, out)

    async def forget(self, app: App) -> None:
        """Take an app down, its previews too, and delete all that belongs to it. The caller holds the app's lock."""
        for preview in self._apps.previews(app.name):
            await self.forget(preview)
        await self._shipper.forget(app.name)
        self._apps.delete(app)
        if not app.parent:
            await self._repos.delete(app.name)
        await self._builder.shelf.forget(app.name)

    def nothing_new(self, app: str, out: Output) -> None:
        """Say what serves, and how to have it built again, to a push that found nothing to send."""
        current = self._releases.current(app)
        if current is None:
            out.step(f"Nothing came with this push; {app} has no release yet.")
        else:
            out.step(f"Nothing came with this push; {app} serves {current.commit[:SHORT]} (v{current.version}).")
        out.detail("To build and release the branch again: mothership redeploy")

    def mend_refs(self) -> None:
        """Bring the refs and what serves together where a crash came between the two.

        A ref that git was to write after our verdict is moved when the push serves; one that a detached deploy moved
        first goes back when it doesn't. Only a ref that is still where that push left it moves; anything else was
        done by somebody since. It comes before the sweep: a quarantine that git did not come to adopt may hold the
        objects.
        """
        for app, update, moved in self._releases.agreed():
            current = self._releases.current(app)
            serves = current is not None and current.commit == update.new
            if serves and self._repos.rescue(app, update.new) and self._repos.at(app, update.ref, update.old):
                self._repos.set_ref(app, update.ref, update.new)
                self._repos.graft(app, update.new)
            if moved and not serves:
                self.detached.put_back(app, update)
            self._releases.settle(app, update.ref)

    # a push

    async def _deploy(self, app: App, push: Push, decision: Decision, update: RefUpdate, out: Output) -> None:
        current = self._releases.current(app.name)
        if current and current.commit == update.new and not decision.options.dry_run:
            out.step(f"{update.new[:SHORT]} is what {app.name} serves already (v{current.version}).")
            out.detail("To build and release it again: mothership redeploy")
            return
        await self._recipe.deploy(self._job(app, push, decision, update, quarantine=push.quarantine), out)

    def _job(self, app: App, push: Push, decision: Decision, update: RefUpdate, *, quarantine: str = "") -> Job:
        return Job(
            app=app,
            commit=update.new,
            repository=self._repos.path(app.name),
            user=push.user.name,
            description=f"Deploy {update.new[:SHORT]}",
            build=self._builds.begin(app.name, update.new, push.user.name),
            quarantine=quarantine,
            no_cache=decision.options.no_cache,
            dry_run=decision.options.dry_run,
            phase=not decision.options.skip_release,
        )

    def _remark(self, app: App, decision: Decision, out: Output) -> None:
        """Say what became of the other refs, and keep the deploy branch that this push settled."""
        for note in decision.notes:
            out.step(note)
        if decision.branch != app.branch:
            self._apps.set_branch(app, decision.branch)

    @contextmanager
    def _audited(self, push: Push) -> Iterator[None]:
        """Keep who pushed what to where, and what became of it."""
        outcome = "ok"
        try:
            yield
        except BaseException as error:
            outcome = f"rejected: {error.reason}" if isinstance(error, MothershipError) else "cancelled"
            raise
        finally:
            moves = ", ".join(f"{u.ref.removeprefix('refs/heads/')} {u.new[:SHORT]}" for u in push.updates)
            self._audit.record(Entry(push.user.name, push.remote, "git", "push", push.app, moves[:LONGEST], outcome))

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

    # what is refused

    def _refuse_skipping(self, app: App, user: User, decision: Decision) -> None:
        if decision.options.skip_release:
            may_skip(app, user)

    def _refuse_stale(self, push: Push) -> None:
        for update in push.updates:
            if not self._repos.at(push.app, update.ref, update.old):
                raise Conflict(
                    f"{update.ref} of {push.app} moved meanwhile.",
                    "Fetch, merge or rebase, and push again.",
                    reason="stale: the branch moved meanwhile",
                )


def may_skip(app: App, user: User) -> None:
    """Raises Refused for who may not leave out an app's release phase."""
    if user.limited or (app.owner != user.id and not user.admin):
        raise Refused(f"Only the owner of {app.name} or an admin may leave out its release phase.")


def _unknown(app: str, *, write: bool) -> NotFound:
    hint = "Check the name in the remote's URL: git remote -v"
    if write:
        hint += ". Only users who may create apps make a new one by pushing."
    return NotFound(f"There is no app {app!r}, or you have no access to it.", hint, reason="no such app")
