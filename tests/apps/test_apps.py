"""Every app of the catalogue is pushed to one server, two at a time, and serves (or works) as it should."""

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import aiohttp
import pytest

from tests.apps.catalogue import APPS, ASSET, HERE, App, table
from tests.engine.server import Result, Server, until

PATIENCE = 900
"""Seconds for one push: the first to ask for a language makes its image."""

TOGETHER = 3
"""Pushes at a time; the server builds two, the third one's start and end go beside them."""

Pushes = Mapping[str, "Future[Result]"]


@pytest.fixture(scope="module")
def pushes(
    server: Server, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Pushes]:
    """A push for each app that a test was chosen for, under way."""
    root = tmp_path_factory.mktemp("apps")
    chosen = [app for app in APPS if any(f"[{app.name}]" in item.name for item in request.session.items)]
    with ThreadPoolExecutor(TOGETHER) as pool:
        yield {app.name: pool.submit(push, server, root / app.name, app) for app in chosen}
        pool.shutdown(cancel_futures=True)


def push(server: Server, folder: Path, app: App) -> Result:
    """Commit the app's files and push them."""
    folder.mkdir()
    if (HERE / app.name).is_dir():
        shutil.copytree(HERE / app.name, folder, symlinks=True, dirs_exist_ok=True)
    for name, text in app.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, newline="")
    if app.prepare:
        app.prepare(folder)
    server.commit(folder)
    if app.config or app.buildpacks:
        assert server.ssh(f"apps:create {app.hosted}").returncode == 0
    if app.config:
        pairs = " ".join(f'"{name}={value}"' for name, value in app.config.items())
        assert server.ssh(f"config:set {app.hosted} {pairs}").returncode == 0
    if app.buildpacks:
        assert server.ssh(f"buildpacks:set {app.hosted} {' '.join(app.buildpacks)}").returncode == 0
    return server.push(folder, app.hosted, timeout=PATIENCE)


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
def test_an_app_that_is_pushed_does_what_it_is_for(server: Server, pushes: Pushes, app: App) -> None:
    pushed = pushes[app.name].result(PATIENCE * len(APPS))
    assert pushed.code == 0, pushed.text
    assert app.said in pushed.text and "command not found" not in pushed.text, pushed.text
    if app.expected:
        answer = server.get(app.hosted, app.path, timeout=30)
        assert answer.status == 200 and app.expected in answer.body, answer
    if app.scale:
        scaled = server.ssh(f"ps:scale {app.hosted} {app.scale}", timeout=120)
        assert scaled.returncode == 0, scaled.stderr
    if app.logged:
        assert until(lambda: app.logged in server.ssh(f"logs {app.hosted}").stdout), pushed.text


def test_a_websocket_goes_through_to_the_app(server: Server, pushes: Pushes) -> None:
    assert pushes["websocket"].result(PATIENCE).code == 0

    async def conversation() -> str:
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{server.http_port}/"
            async with session.ws_connect(url, headers={"Host": "app-websocket.localhost"}) as socket:
                await socket.send_str("ahoy")
                return str(await socket.receive_str(timeout=10))

    assert asyncio.run(conversation()) == "echo of ahoy"


def test_a_large_asset_arrives_whole(server: Server, pushes: Pushes) -> None:
    assert pushes["heavy-asset"].result(PATIENCE).code == 0
    assert int(server.get("app-heavy-asset", "/video.bin", timeout=60).headers["content-length"]) == ASSET


def test_the_documented_table_is_the_catalogue() -> None:
    assert (HERE.parents[1] / "docs/apps.md").read_text() == table()


def test_the_catalogue_holds_every_folder_and_each_app_can_fail() -> None:
    folders = {path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {app.name for app in APPS if not app.files}
    assert all(app.expected or app.logged for app in APPS)
    assert len(APPS) >= 25
