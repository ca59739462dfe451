"""Refs after a crash: between the verdict and git's own write of the ref, a journal says what was agreed."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from hooks.post_receive import Deployer
from hooks.recipe import Job
from mothership.errors import BuildFailed, Conflict, MothershipError
from mothership.model import Image, Push, RefUpdate, Release, User
from mothership.output import Output
from mothership.releases import AppLocks, BuildSlots
from mothership.releases.running import Running
from mothership.repos import Repos
from mothership.store import Accounts, Apps, Audit, Builds, Releases, Store

IMAGE = Image("blog", "sha256:" + "a" * 64, "buildpack", {"web": "x"})
MAIN = "refs/heads/main"


class Recipe:
    """A recipe that ends as it is told, in its own time."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.error: MothershipError | None = None

    async def deploy(self, job: Job, out: Output) -> None:
        await self.go.wait()
        if self.error:
            raise self.error


class Scene:
    """A repository with two commits, the first of which `main` points at, and a deployer without engine."""

    def __init__(self, path: Path) -> None:
        self.held: list[object] = []
        store = Store(path)
        self.accounts, self.apps, self.releases = Accounts(store), Apps(store), Releases(store)
        self.repos = Repos(path)
        self.user = self.accounts.add_user("ada")
        self.app = self.apps.create("blog", self.user)
        self.locks, self.builds, self.recipe = AppLocks(), Builds(store), Recipe()
        self.running = Running()
        self.deployer = Deployer(
            self.accounts,
            self.apps,
            self.releases,
            self.builds,
            Audit(store),
            self.repos,
            cast(Any, None),
            cast(Any, None),
            self.locks,
            BuildSlots(1),
            cast(Any, self.recipe),
            cast(Any, None),
            self.running,
            preview_days=7,
        )

    async def open(self) -> None:
        await self.repos.create("blog")
        tree = self.git("hash-object", "-t", "tree", "-w", "/dev/null")
        self.old = self.git("commit-tree", tree, "-m", "old")
        self.new = self.git("commit-tree", tree, "-p", self.old, "-m", "new")
        self.repos.set_ref("blog", MAIN, self.old)

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        argv = ["git", f"--git-dir={self.repos.path('blog')}", *identity, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def serve(self, commit: str) -> None:
        release = Release("blog", 0, IMAGE, {}, {"web": 1}, commit, f"Deploy {commit[:7]}")
        self.releases.make_current(self.releases.create(release))

    def push(self, old: str, new: str, ref: str = MAIN, options: tuple[str, ...] = ()) -> Push:
        return Push("blog", User(self.user.id, "ada"), (RefUpdate(old, new, ref),), options)


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    await made.open()
    return made


async def crash_after_the_verdict(scene: Scene, push: Push) -> None:
    """Enter the recipe as a push does, and never leave it: the daemon is gone before git has written the ref."""
    entered = scene.deployer.receive(push, Output())
    scene.held.append(entered)
    await entered.__aenter__()


async def test_a_ref_that_a_crash_kept_from_moving_is_moved_at_the_next_start(scene: Scene) -> None:
    scene.serve(scene.new)
    await crash_after_the_verdict(scene, scene.push(scene.old, scene.new))
    assert scene.repos.ref("blog", MAIN) == scene.old
    scene.deployer.mend_refs()
    assert scene.repos.ref("blog", MAIN) == scene.new


async def test_a_ref_of_a_push_that_never_came_to_serve_stays(scene: Scene) -> None:
    scene.serve(scene.new)
    await crash_after_the_verdict(scene, scene.push(scene.old, scene.new))
    scene.serve(scene.old)
    scene.deployer.mend_refs()
    assert scene.repos.ref("blog", MAIN) == scene.old


async def test_a_branch_that_becomes_the_deploy_branch_keeps_what_was_pushed_to_it(scene: Scene) -> None:
    scene.serve(scene.old)
    scene.repos.set_ref("blog", "refs/heads/production", scene.new)
    scene.apps.set_branch(scene.app, "production")
    scene.deployer.mend_refs()
    assert scene.repos.ref("blog", "refs/heads/production") == scene.new


async def test_a_push_that_ended_leaves_nothing_to_mend(scene: Scene) -> None:
    scene.serve(scene.new)
    async with scene.deployer.receive(scene.push(scene.old, scene.new), Output()):
        scene.repos.set_ref("blog", MAIN, scene.new)
    scene.repos.set_ref("blog", MAIN, scene.old)
    scene.deployer.mend_refs()
    assert scene.repos.ref("blog", MAIN) == scene.old


async def test_a_push_is_stale_when_the_branch_moved_even_if_it_did_not_wait(scene: Scene) -> None:
    with pytest.raises(Conflict, match="moved"):
        await scene.deployer.receive(scene.push(scene.new, scene.old), Output()).__aenter__()


def test_quarantines_of_dead_pushes_are_swept_and_nothing_else(scene: Scene) -> None:
    objects = scene.repos.path("blog") / "objects"
    (objects / "tmp_objdir-incoming-abc" / "pack").mkdir(parents=True)
    assert scene.repos.sweep() == 1
    assert not (objects / "tmp_objdir-incoming-abc").exists()
    assert scene.repos.has("blog", scene.new)


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
async def test_a_commit_that_serves_is_rescued_from_the_quarantine_of_its_push(scene: Scene, packed: bool) -> None:
    scene.serve(scene.new)
    await crash_after_the_verdict(scene, scene.push(scene.old, scene.new))
    objects = scene.repos.path("blog") / "objects"
    quarantine = objects / "tmp_objdir-incoming-abc"
    loose = Path(scene.new[:2]) / scene.new[2:]
    if packed:
        (quarantine / "pack").mkdir(parents=True)
        packing = ["git", f"--git-dir={scene.repos.path('blog')}", "pack-objects", str(quarantine / "pack" / "pack")]
        subprocess.run(packing, input=scene.new.encode(), check=True, capture_output=True)
        (objects / loose).unlink()
    else:
        (quarantine / loose).parent.mkdir(parents=True)
        (objects / loose).rename(quarantine / loose)
    scene.deployer.mend_refs()
    assert scene.repos.ref("blog", MAIN) == scene.new
    assert scene.repos.sweep() == 1
    assert scene.git("fsck", "--connectivity-only") == ""


async def hand_over(scene: Scene) -> None:
    """A push with -o detach, as git sees it: the ref moves, and the client is gone."""
    push = scene.push(scene.old, scene.new, options=("detach",))
    async with scene.deployer.receive(push, Output()):
        scene.repos.set_ref("blog", MAIN, scene.new)


async def test_a_detached_deploy_that_fails_puts_the_ref_back(scene: Scene) -> None:
    scene.recipe.error = BuildFailed("no")
    await hand_over(scene)
    assert scene.repos.ref("blog", MAIN) == scene.new
    scene.recipe.go.set()
    async with asyncio.timeout(5):
        while scene.locks.held("blog") or scene.releases.agreed():
            await asyncio.sleep(0.01)
    assert scene.repos.ref("blog", MAIN) == scene.old


async def test_a_detached_deploy_that_died_with_its_daemon_puts_the_ref_back_at_the_next_start(scene: Scene) -> None:
    scene.serve(scene.old)
    await hand_over(scene)
    scene.deployer.mend_refs()
    assert scene.repos.ref("blog", MAIN) == scene.old
    scene.recipe.go.set()


async def test_a_server_that_stops_cancels_a_detached_deploy_and_puts_the_ref_back(scene: Scene) -> None:
    await hand_over(scene)
    await asyncio.sleep(0)
    await scene.deployer.detached.close()
    assert scene.repos.ref("blog", MAIN) == scene.old
    assert not scene.locks.held("blog") and scene.releases.agreed() == ()


async def test_a_detached_deploy_that_waits_for_its_turn_can_be_cancelled(scene: Scene) -> None:
    async with scene.locks.hold("other", Output()):
        entered = scene.locks.hold("blog", Output())
        push = scene.push(scene.old, scene.new, options=("detach",))
        async with scene.deployer.receive(push, Output()):
            scene.repos.set_ref("blog", MAIN, scene.new)
        await entered.__aenter__()
        await asyncio.sleep(0)
        build = scene.builds.list("blog")[0]
        assert await scene.running.cancel(build.id, "ada")
        await entered.__aexit__(None, None, None)
    assert scene.repos.ref("blog", MAIN) == scene.old
    assert scene.builds.list("blog")[0].status == "cancelled"
