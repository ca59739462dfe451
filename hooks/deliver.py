"""Deploys of what was not pushed: an archive, a repository that the server pulls, an image that exists."""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from builder import Builder, Source
from builder.fetch import Address
from builder.foreign import Reference, reference
from builder.source import Key
from hooks import commits
from hooks.detach import Detached
from hooks.recipe import SHORT, Job, Recipe
from mothership.config import Settings
from mothership.errors import BuildFailed, Invalid, TooLarge
from mothership.model import Image, RefUpdate, Release, User
from mothership.output import Output
from mothership.releases import AppLocks, BuildSlots
from mothership.repos import Repos
from mothership.store import App, Build, Builds, Releases
from mothership.store.doors import DeployKeys, Login, Logins

IMAGE = "image "
HUB_LOGIN = "https://index.docker.io/v1/"
PACKS = 30
"""Packs that a repository may have before they are made one."""


@dataclass(frozen=True)
class Given:
    """What to deploy; one of `upload` (an archive, ours to delete), `git`, `archive` (its URL) and `image`.

    `shown` is what it is called where people read it; `wanted` is the commit that a repository is asked for.
    `processes` are those of an image, by their commands.
    """

    shown: str
    upload: Path | None = None
    git: Address | None = None
    archive: Address | None = None
    image: Reference | None = None
    wanted: str = ""
    processes: Mapping[str, str] = field(default_factory=dict)

    def dispose(self) -> None:
        if self.upload:
            self.upload.unlink(missing_ok=True)


@dataclass(frozen=True)
class How:
    """How to deploy it."""

    no_cache: bool = False
    phase: bool = True


class Deliveries:
    """Brings what was given to serve: the same locks, slots, records and logs as a push."""

    def __init__(
        self,
        settings: Settings,
        releases: Releases,
        builds: Builds,
        repos: Repos,
        builder: Builder,
        locks: AppLocks,
        slots: BuildSlots,
        recipe: Recipe,
        detached: Detached,
        keys: DeployKeys,
        logins: Logins,
    ) -> None:
        self._settings = settings
        self._releases = releases
        self._builds = builds
        self._repos = repos
        self._builder = builder
        self._locks = locks
        self._slots = slots
        self._recipe = recipe
        self._detached = detached
        self._keys = keys
        self._logins = logins

    @property
    def scratch(self) -> Path:
        """Where uploads wait; what a dead daemon left there is gone with the next start."""
        return self._settings.data / "builds" / ".running"

    @property
    def limit(self) -> int:
        """Bytes that an upload may have."""
        return self._settings.max_input_size << 20

    async def deploy(self, app: App, user: User, given: Given, how: How, out: Output) -> Release:
        """Deploy while the caller waits. Raises MothershipError; what served before serves on then."""
        try:
            self._slots.overtake(app.name)
            async with self._locks.hold(app.name, out, push=True):
                return await self._recipe.deploy(self._job(app, user, given, how), out)
        finally:
            given.dispose()

    def hand_over(
        self,
        app: App,
        user: User,
        given: Given,
        how: How,
        out: Output,
        then: Callable[[Build], Awaitable[None]] | None = None,
    ) -> str:
        """Deploy in the background; the build's id. `then` is told how it ended."""
        job = self._job(app, user, given, how)

        async def ended() -> None:
            given.dispose()
            build = self._builds.find(app.name, job.build)
            if then and build:
                await then(build)

        self._slots.overtake(app.name)
        self._detached.take_over(job, out, ended)
        return job.build

    async def again(self, app: App, user: str, last: Build, how: How, out: Output) -> Release | None:
        """Build once more what was deployed last without a push. The caller holds the app's lock.

        None when its source is not there any more.
        """
        if last.source.startswith(IMAGE):
            made = self._builds.image(last.id)
            processes = dict(made.processes) if made else {}
            given = Given(last.source.removeprefix(IMAGE), image=reference(last.source.removeprefix(IMAGE)))
            given = replace(given, processes={} if processes == {"web": ""} else processes)
            return await self._recipe.deploy(self._job(app, user, given, how), out)
        if not last.commit or not self._repos.has(app.name, last.commit):
            return None
        job = Job(
            app=app,
            commit=last.commit,
            repository=self._repos.path(app.name),
            user=user,
            description=f"Redeploy {last.source.partition(' ')[2]} ({last.commit[:SHORT]})",
            build=self._builds.begin(app.name, last.commit, user, last.source),
            no_cache=how.no_cache,
            phase=how.phase,
        )
        release = await self._recipe.deploy(job, out)
        await self._kept(app.name, job.build, last.commit)
        return release

    def _job(self, app: App, user: User | str, given: Given, how: How) -> Job:
        name = user if isinstance(user, str) else user.name
        kind = "image" if given.image else "git" if given.git else "tar"
        make = partial(self._adopted, given, given.image) if given.image else None
        return Job(
            app=app,
            commit="",
            repository=self._repos.path(app.name),
            user=name,
            description=f"Deploy {given.shown}",
            build=self._builds.begin(app.name, "", name, f"{kind} {given.shown}"),
            no_cache=how.no_cache,
            phase=how.phase,
            origin=given.git.url if given.git else "",
            arrive=None if given.image else partial(self._arrived, given),
            make=make,
        )

    async def _adopted(self, given: Given, name: Reference, source: Source, out: Output) -> Image:
        login = self._logins.find(source.app, name.host)
        image = await self._builder.adopt(source, name, credentials(login) if login else {}, given.processes, out)
        if not image.processes.get("web", "-") and not image.entrypoint:
            raise BuildFailed(
                "The image has no command of its own.", "Say how it runs: --process web='…'", reason="no command"
            )
        return image

    @asynccontextmanager
    async def _arrived(self, given: Given, job: Job, out: Output) -> AsyncIterator[Job]:
        """The source as a commit in quarantine; it is kept when the block ends well."""
        app = job.app.name
        with commits.quarantine(job.repository) as place:
            commit, shallow = await self._commit(given, job, place, out)
            self._builds.arrived(job.build, commit)
            update = RefUpdate("0" * len(commit), commit, f"{commits.REF}/{job.build}")
            self._releases.agree(app, update)
            try:
                yield replace(job, commit=commit, quarantine=str(place))
                commits.keep(place)
                if shallow:
                    self._repos.graft(app, commit)
                self._repos.set_ref(app, update.ref, commit)
            finally:
                self._releases.settle(app, update.ref)
        await self._tidy(app)

    async def _commit(self, given: Given, job: Job, place: Path, out: Output) -> tuple[str, bool]:
        """Bring the source in; its commit, and whether its history was left out."""
        app, repository = job.app.name, job.repository
        if given.git:
            known = self._keys.find(app)
            key = Key(known.private, known.hosts) if known else None
            async with self._builder.fetcher.git(app, given.git, out, key=key, wanted=given.wanted) as fetched:
                if known and fetched.hosts and fetched.hosts != known.hosts:
                    self._keys.met(app, fetched.hosts)
                limit, shallow = self.limit, fetched.shallow
                await commits.from_pack(fetched.file, fetched.commit, repository, place, shallow=shallow, limit=limit)
                out.detail(f"Commit {fetched.commit[:12]}")
                return fetched.commit, shallow
        if given.archive:
            async with self._builder.fetcher.file(app, given.archive, out) as fetched:
                return await self._unpacked(given, job, fetched.file, place, out), False
        assert given.upload
        return await self._unpacked(given, job, given.upload, place, out), False

    async def _unpacked(self, given: Given, job: Job, path: Path, place: Path, out: Output) -> str:
        out.step(f"Unpacking {given.shown}")
        if path.is_symlink() or not path.is_file():
            raise Invalid("The archive is empty.", reason="not an archive")
        if path.stat().st_size > self.limit:
            raise TooLarge(f"{given.shown} is larger than {self._settings.max_input_size} MiB.")
        return await commits.from_archive(
            path, job.repository, place, author=job.user, message=f"Deploy of {given.shown}", limit=self.limit
        )

    async def _kept(self, app: str, build: str, commit: str) -> None:
        self._repos.set_ref(app, f"{commits.REF}/{build}", commit)
        await self._tidy(app)

    async def _tidy(self, app: str) -> None:
        """Let go of the sources that are older than any kept image, and keep the packs few."""
        for ref in self._repos.refs(app, f"{commits.REF}/")[: -self._settings.keep_releases]:
            self._repos.set_ref(app, ref, "")
        if len(list(self._repos.path(app).glob("objects/pack/*.pack"))) < PACKS:
            return
        argv = ["git", "-c", "safe.directory=*", f"--git-dir={self._repos.path(app)}", "gc", "--quiet"]
        known = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent"}
        child = await asyncio.create_subprocess_exec(*argv, env=known, stderr=subprocess.DEVNULL)
        try:
            await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()


def credentials(login: Login) -> dict[str, str]:
    """A login as the engine takes it (Engine API, "AuthConfig")."""
    host = HUB_LOGIN if login.host == "docker.io" else login.host
    return {"username": login.user, "password": login.password, "serveraddress": host}


def label(text: str, default: str) -> str:
    """A name for an archive that may stand anywhere; the default for none."""
    name = text.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return re.sub(r"[^\w.+ -]", "?", name)[:80].strip() or default
