"""What engines push, whatever their image store."""

from typing import Any

from aiohttp import web

from builder.registry import Registry


def index(*platforms: str) -> dict[str, Any]:
    return {"manifests": [{"digest": f"sha256:{name}", "platform": {"architecture": name}} for name in platforms]}


async def test_an_images_manifest_is_taken_out_of_its_index() -> None:
    image = {"config": {"digest": "sha256:c"}, "layers": []}
    answers = {"latest": index("unknown", "amd64"), "sha256:amd64": image}

    async def manifest(request: web.Request) -> web.Response:
        assert "vnd.oci.image.index" in request.headers["Accept"]
        return web.json_response(answers[request.match_info["reference"]])

    app = web.Application()
    app.router.add_get("/v2/app/manifests/{reference}", manifest)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        registry = Registry(f"127.0.0.1:{runner.addresses[0][1]}")
        assert await registry.manifest("app", "latest") == image
        assert await registry.digest("app", "latest") != await registry.digest("app", "sha256:amd64")
    finally:
        await runner.cleanup()
