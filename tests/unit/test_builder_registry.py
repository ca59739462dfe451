"""What engines push, whatever their image store; and a registry that goes away for a moment."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from builder.registry import Blob, Registry
from mothership.errors import RegistryUnavailable


def index(*platforms: str) -> dict[str, Any]:
    return {"manifests": [{"digest": f"sha256:{name}", "platform": {"architecture": name}} for name in platforms]}


@asynccontextmanager
async def served(app: web.Application, port: int = 0) -> AsyncIterator[Registry]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield Registry(f"127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


async def test_an_images_manifest_is_taken_out_of_its_index() -> None:
    image = {"config": {"digest": "sha256:c"}, "layers": []}
    answers = {"latest": index("unknown", "amd64"), "sha256:amd64": image}

    async def manifest(request: web.Request) -> web.Response:
        assert "vnd.oci.image.index" in request.headers["Accept"]
        return web.json_response(answers[request.match_info["reference"]])

    app = web.Application()
    app.router.add_get("/v2/app/manifests/{reference}", manifest)
    async with served(app) as registry:
        assert await registry.manifest("app", "latest") == image
        assert await registry.digest("app", "latest") != await registry.digest("app", "sha256:amd64")


class Flaky:
    """A registry's uploads, of which the first are cut off in the middle. aiohttp by itself tries each twice."""

    def __init__(self, cut: int) -> None:
        self.cut = cut
        self.uploaded: list[bytes] = []
        self.app = web.Application()
        self.app.router.add_get("/v2/", self.ready)
        self.app.router.add_post("/v2/app/blobs/uploads/", self.begin)
        self.app.router.add_put("/v2/app/blobs/uploads/1", self.end)

    async def ready(self, request: web.Request) -> web.Response:
        return web.Response()

    async def begin(self, request: web.Request) -> web.Response:
        where = f"http://{request.host}/v2/app/blobs/uploads/1"
        return web.Response(status=202, headers={"Location": where})

    async def end(self, request: web.Request) -> web.Response:
        assert request.transport
        if self.cut:
            self.cut -= 1
            request.transport.abort()
            return web.Response(status=500)
        self.uploaded.append(await request.read())
        return web.Response(status=201)


async def test_an_upload_that_the_registry_cut_off_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "layer").write_bytes(b"layer" * 1000)
    flaky = Flaky(cut=2)
    async with served(flaky.app) as registry:
        await registry.put_file("app", Blob("sha256:a", 5000), tmp_path / "layer")
    assert flaky.uploaded == [b"layer" * 1000]


async def test_a_registry_that_cuts_off_each_upload_is_said_to_be_away(tmp_path: Path) -> None:
    (tmp_path / "layer").write_bytes(b"layer")
    async with served(Flaky(cut=4).app) as registry:
        with pytest.raises(RegistryUnavailable):
            await registry.put_file("app", Blob("sha256:a", 5), tmp_path / "layer")


async def test_a_registry_that_is_started_again_meanwhile_is_waited_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    asked = asyncio.create_task(Registry(f"127.0.0.1:{port}").tags("app"))
    await asyncio.sleep(0.2)
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"tags": ["v1"]})

    app.router.add_get("/v2/", answer)
    app.router.add_get("/v2/app/tags/list", answer)
    async with served(app, port):
        assert await asked == ["v1"]
