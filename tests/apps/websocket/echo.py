import os

from aiohttp import web


async def echo(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    if not socket.can_prepare(request):
        return web.Response(text="a WebSocket is at this address")
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(f"echo of {message.data}")
    return socket


app = web.Application()
app.router.add_get("/", echo)
web.run_app(app, port=int(os.environ["PORT"]))
