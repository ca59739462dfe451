"""The HTTP door: git's smart protocol behind the proxy, with access tokens (gitprotocol-http)."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from mothership.config import Settings
from mothership.doors import Accounts, Pushes
from mothership.errors import Conflict, Invalid, MothershipError, NotFound, Refused, Unavailable
from mothership.log import logger
from mothership.model import app_name
from receiver import access, child, failure, pktline
from receiver.pack import Packs
from receiver.wire import Call

STATUS = {Invalid: 400, Refused: 403, NotFound: 404, Conflict: 409, Unavailable: 503}
FRESH = {hdrs.CACHE_CONTROL: "no-cache, max-age=0, must-revalidate", hdrs.PRAGMA: "no-cache"}
SERVICES = (child.RECEIVE, child.UPLOAD)
PROTOCOL = re.compile(r"[a-z0-9=.:-]{1,64}")
CHUNK = 1 << 18
COMPLAINTS = 4096
CLOSED = "X-Mothership-Closed"
"""Set by the proxy alone, which takes it out of what clients send."""


def application(
    settings: Settings, accounts: Accounts, pushes: Pushes, page: Callable[[str], str] = lambda app: ""
) -> web.Application:
    """The application with git's routes and /healthz, to which others may be added.

    `page` is the page of an app in maintenance.
    """
    git = GitDoor(settings, accounts, pushes)
    app = web.Application(middlewares=[_closed(page), explain])
    app[access.OPEN] = access.OpenRequests()
    app.router.add_get("/healthz", _healthy)
    app.router.add_get("/{app}/info/refs", git.advertise)
    app.router.add_post(f"/{{app}}/{{service:{'|'.join(SERVICES)}}}", git.serve)
    return app


@contextlib.asynccontextmanager
async def serving(app: web.Application, path: Path) -> AsyncIterator[None]:
    """Listen on a unix socket until the block ends. A handler whose client vanishes is cancelled.

    The proxy in its container runs as somebody else, so the socket is open to all; tokens decide who is let in.
    """
    runner = web.AppRunner(
        app, handler_cancellation=True, handle_signals=False, access_log=None, read_bufsize=CHUNK, shutdown_timeout=5
    )
    await runner.setup()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        await web.UnixSite(runner, str(path)).start()
        path.chmod(0o666)
        yield
    finally:
        await runner.cleanup()
        path.unlink(missing_ok=True)


def _closed(page: Callable[[str], str]) -> Middleware:
    """Requests that the proxy sends here because their app is in maintenance and has a page of its own."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        app = request.headers.get(CLOSED)
        if app is None:
            return await handler(request)
        return web.Response(status=503, text=page(app), content_type="text/html", headers={hdrs.RETRY_AFTER: "300"})

    return middleware


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as plain text, which git shows as "remote: …"."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:
        known = failure.explained(error, f"{request.method} {request.path}")
        status = next((code for kind, code in STATUS.items() if isinstance(known, kind)), 500)
        return web.Response(status=status, text=failure.text(known) + "\n")


class GitDoor:
    """`GET /APP.git/info/refs?service=…`, then `POST /APP.git/git-receive-pack` or `git-upload-pack`."""

    def __init__(self, settings: Settings, accounts: Accounts, pushes: Pushes) -> None:
        self._settings = settings
        self._accounts = accounts
        self._packs = Packs(settings, pushes)

    async def advertise(self, request: web.Request) -> web.StreamResponse:
        """The refs, the first half of every conversation."""
        service = request.query.get("service", "")
        if service not in SERVICES:
            raise Invalid("This server speaks git's smart protocol only.", "Use git 1.6.6 or later.")
        call = await self._call(request, service, advertise=True)
        exchange = Exchange(request, f"application/x-{service}-advertisement", _preface(call))
        return await self._answer(call, exchange)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The pack, the second half."""
        service = request.match_info["service"]
        if request.content_type != f"application/x-{service}-request":
            raise web.HTTPUnsupportedMediaType(text="That is not a git client's request.\n")
        call = await self._call(request, service)
        return await self._answer(call, Exchange(request, f"application/x-{service}-result"))

    async def _call(self, request: web.Request, service: str, *, advertise: bool = False) -> Call:
        user = await access.caller(request, self._settings, self._accounts)
        app = app_name(request.match_info["app"].removesuffix(".git"))
        protocol = request.headers.get("Git-Protocol", "")
        known = protocol if PROTOCOL.fullmatch(protocol) else ""
        origin = access.remote(request)
        return Call(service, app, user, known, stateless=True, advertise=advertise, remote=origin)

    async def _answer(self, call: Call, exchange: "Exchange") -> web.StreamResponse:
        repository = await self._packs.repository(call)
        try:
            status = await self._packs.serve(call, repository, exchange)
        except ConnectionError:
            return exchange.response
        except MothershipError:
            if not exchange.response.prepared:
                raise
            return exchange.response
        if status:
            logger().warning("git failed", app=call.app, service=call.service, status=status, said=exchange.complaints)
            if not exchange.response.prepared:
                raise web.HTTPInternalServerError(text="git could not answer that; the server's log says why.\n")
        return await exchange.finish()


class Exchange:
    """One request and its response as git's wire; the response begins with git's first bytes."""

    def __init__(self, request: web.Request, content_type: str, preface: bytes = b"") -> None:
        self.response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: content_type} | FRESH)
        self._request = request
        self._preface = preface
        self._complaints = b""

    @property
    def complaints(self) -> str:
        """The last that git said on standard error: for the log, HTTP has no place for it."""
        return self._complaints.decode(errors="replace")

    async def read(self, size: int) -> bytes:
        try:
            return await self._request.content.read(size)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # a body cut off or malformed: aiohttp has a dozen names for it
            raise ConnectionResetError("the request's body ended early") from error

    async def send(self, data: bytes) -> None:
        if not self.response.prepared:
            await self.response.prepare(self._request)
            data = self._preface + data
        await self.response.write(data)

    def complain(self, data: bytes) -> None:
        self._complaints = (self._complaints + data)[-COMPLAINTS:]

    async def finish(self) -> web.StreamResponse:
        """The response, complete; git's silence is an empty one (the probe of a client before a large push)."""
        if not self.response.prepared:
            await self.response.prepare(self._request)
        await self.response.write_eof()
        return self.response


def _preface(call: Call) -> bytes:
    """What stands before the refs over HTTP, except in protocol version 2, which opens by itself."""
    if call.service == child.UPLOAD and "version=2" in call.protocol.split(":"):
        return b""
    return pktline.encode(b"# service=" + call.service.encode() + b"\n") + pktline.FLUSH


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
