"""Old images go and needed ones stay; the doctor sees what is wrong, and repairs it."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mothership.engine import Engine
from tests.engine.server import Server, until
from tests.engine.test_road import FILES, WEB


@pytest.fixture(scope="module")
def tidy(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership of its own that keeps the images of two releases."""
    with Server(tmp_path_factory.mktemp("tidy"), f"mstt{worker_id}", keep_releases=2) as made:
        yield made


def ship(server: Server, folder: Path, app: str, word: str) -> None:
    server.commit(folder, {**FILES, "app.py": WEB.replace('"one"', f'"{word}"'), "payload": word * 2_000_000})
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text


def manifests(server: Server, app: str) -> int:
    revisions = server.data / "registry/docker/registry/v2/repositories" / app / "_manifests/revisions/sha256"
    return sum((each / "link").exists() for each in revisions.iterdir())


def test_images_beyond_the_last_releases_go_and_the_needed_ones_serve_on(tidy: Server, folder: Path) -> None:
    for word in ("one", "two", "three", "four"):
        ship(tidy, folder, "grows", word)
    assert manifests(tidy, "grows") == 4
    assert until(lambda: tidy.services("grows") == ["grows-web-v4"], seconds=30)
    done = tidy.ssh("cleanup")
    assert done.returncode == 0 and "Removed 2 images" in done.stdout, done.stdout + done.stderr
    assert manifests(tidy, "grows") == 2
    gone = tidy.ssh("rollback grows v1")
    assert gone.returncode == 1 and "The image of v1 is gone" in gone.stderr, gone.stdout + gone.stderr
    asyncio.run(forget_local_images(tidy))
    assert tidy.ssh("rollback grows v3").returncode == 0
    assert tidy.get("grows").body.startswith("three")
    ship(tidy, folder, "grows", "five")
    assert tidy.get("grows").body.startswith("five")
    assert tidy.ssh("redeploy grows --no-cache").returncode == 0


async def forget_local_images(server: Server) -> None:
    """So that the next release has to come from the registry."""
    engine = Engine()
    for image in await engine.images({}):
        for name in image.get("RepoDigests") or []:
            if name.startswith(f"{server.settings.registry}/grows@"):
                try:
                    await engine.remove_image(name, force=True)
                except Exception as error:  # noqa: BLE001 - an image in use stays
                    assert "conflict" in str(error).lower()


def test_the_doctor_sees_what_is_wrong_and_repairs_it(tidy: Server, folder: Path) -> None:
    ship(tidy, folder, "patient", "one")
    well = tidy.ssh("doctor")
    assert well.returncode == 0 and "All is well." in well.stdout, well.stdout
    assert "✓ patient v1" in well.stdout and "✓ proxy" in well.stdout
    asyncio.run(Engine().remove_service(f"{tidy.instance}-patient-web-v1"))
    ill = tidy.ssh("doctor")
    if ill.returncode:
        assert "✗ patient v1" in ill.stdout and "doctor --repair" in ill.stdout, ill.stdout
    assert until(lambda: tidy.ssh("doctor --repair").returncode == 0), tidy.ssh("doctor").stdout
    assert until(lambda: tidy.get("patient").status == 200)


def test_the_doctor_names_a_branch_that_never_served(tidy: Server, folder: Path) -> None:
    ship(tidy, folder, "halfway", "one")
    repository = tidy.data / "repos" / "halfway.git"
    stray = tidy.git(
        repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", "main^{tree}", "-m", "stray"
    ).text.strip()
    tidy.git(repository, "update-ref", "refs/heads/main", stray)
    ill = tidy.ssh("doctor")
    assert ill.returncode == 1 and "never served" in ill.stdout, ill.stdout
    assert tidy.ssh("redeploy halfway").returncode == 0
    assert tidy.ssh("doctor").returncode == 0


def test_only_admins_may_look_after_the_server(tidy: Server) -> None:
    other = tidy.add_user("eve")
    for verb in ("doctor", "cleanup"):
        refused = tidy.ssh(verb, key=other)
        assert refused.returncode == 1 and "Only an admin" in refused.stderr


def test_an_expired_preview_goes(tidy: Server, folder: Path) -> None:
    ship(tidy, folder, "parent", "one")
    assert tidy.push(folder, "parent", "main:preview/brief").code == 0
    assert tidy.get("brief--parent").status == 200
    tidy.kill()
    expire = "UPDATE apps SET expires = '2020-01-01T00:00:00+00:00' WHERE name = 'brief--parent'"

    with sqlite3.connect(tidy.data / "mothership.db") as store:
        store.execute(expire)
    tidy.start()
    assert until(lambda: tidy.get("brief--parent").status == 404)
    assert tidy.get("parent").status == 200 and tidy.ref("parent", "refs/heads/preview/brief") == ""
    assert "brief" not in json.dumps(tidy.ssh("apps --json").stdout)


def test_what_is_kept_for_builds_is_pruned_and_made_again(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "pruned").code == 0
    place = server.data / "workspaces" / "pruned"
    assert "pruned" in server.ssh("builds:prune --only pruned --days 0 --dry-run").stdout and place.exists()
    assert "Nothing is older" in server.ssh("builds:prune --only pruned").stdout
    done = server.ssh("builds:prune --only pruned --days 0")
    assert done.returncode == 0 and not place.exists(), done.stderr
    server.commit(folder, {"more.txt": "x"})
    assert server.push(folder, "pruned").code == 0
    assert server.get("pruned").status == 200
