"""The HTTP API: every verb of the command table below /api/v1, and /api/openapi.json, which describes them."""

import json
from collections.abc import Iterable
from functools import partial
from typing import Any, NoReturn
from urllib.parse import unquote

from aiohttp import hdrs, web

from mothership.commands import openapi
from mothership.commands import web as over_http
from mothership.commands.verb import Verb
from mothership.config import Settings
from mothership.doors import Accounts, Commands
from mothership.errors import Invalid
from mothership.model import known_name
from receiver import access, api_answer, api_problem, api_upload, failure
from receiver.api_caller import Caller

DESCRIPTION = "/api/openapi.json"
APPS = f"{over_http.ROOT}/apps/"
HINT = f"See what there is: GET {DESCRIPTION}"
FOREIGN = ("cross-site", "same-site")
"""What a browser says (Fetch Metadata) of a request that another site's page made, an app's of this server too."""


def mount(
    app: web.Application, settings: Settings, accounts: Accounts, commands: Commands, verbs: Iterable[Verb[Any]]
) -> None:
    """Add the API to the HTTP door's application."""
    api = Api(settings, accounts, commands, tuple(verbs))
    app.router.add_route("*", r"/api/{rest:[\s\S]*}", api.serve)


class Api:
    """One request is one call of a verb, with the caller's access token in place of their key."""

    def __init__(
        self, settings: Settings, accounts: Accounts, commands: Commands, verbs: tuple[Verb[Any], ...]
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._commands = commands
        self._verbs = {over_http.path(verb): verb for verb in verbs}
        self._description = json.dumps(openapi.document(verbs)).encode()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer any request below /api; a failure is a problem (RFC 9457)."""
        try:
            if request.path == DESCRIPTION:
                return self._describe(request)
            return await self._serve(request)
        except web.HTTPException as error:
            return api_problem.raised(error).response()
        except Refusal as refusal:
            return refusal.problem.response()
        except Exception as error:
            return api_problem.of(failure.explained(error, "api")).response()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        verb, app = self._find(request.rel_url.raw_path)
        _allow(request, over_http.method(verb))
        user = await access.caller(request, self._settings, self._accounts)
        streams = api_answer.STREAM in request.headers.get(hdrs.ACCEPT, "")
        as_json = over_http.speaks_json(verb) and not streams
        uploads = api_upload.comes_with(request, verb)
        given = over_http.from_upload(verb, list(request.query.items())) if uploads else await _given(request, verb)
        args = over_http.read(verb, app, given, as_json=as_json)
        if verb.app:
            known_name(app)
        if over_http.follows(verb) and args.follow and not streams:
            raise Invalid("Only a stream can follow.", f"Send the header Accept: {api_answer.STREAM}")
        body = api_upload.pieces(request) if uploads else None
        if uploads:
            api_upload.check(request, self._settings)
        caller = Caller(user, access.remote(request), streams=streams, whole=as_json, body=body)
        work = partial(self._commands.perform, verb, args, door="api")
        if streams:
            return await api_answer.stream(request, caller, work, f"api {verb.name}")
        return await api_answer.whole(caller, work, as_json=as_json)

    def _find(self, path: str) -> tuple[Verb[Any], str]:
        """The verb and the app that a path means. Only the app is unquoted: no verb's path needs it."""
        name = ""
        if path.startswith(APPS):
            name, slash, rest = path.removeprefix(APPS).partition("/")
            if slash:
                path = f"{APPS}{{app}}/{rest}"
        verb = self._verbs.get(path)
        if verb is None:
            _refuse(404, "The API has no such path.", hint=HINT)
        return verb, unquote(name)

    def _describe(self, request: web.Request) -> web.Response:
        _allow(request, "GET")
        return web.Response(body=self._description, content_type="application/json")


class Refusal(Exception):
    """The request itself is wrong, whatever the verb."""

    def __init__(self, problem: api_problem.Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def _refuse(status: int, detail: str, *, hint: str = "", **headers: str) -> NoReturn:
    raise Refusal(api_problem.plain(status, detail, hint=hint, **headers))


def _allow(request: web.Request, method: str) -> None:
    if request.method != method and (request.method, method) != ("HEAD", "GET"):
        _refuse(405, f"That path takes {method}, not {request.method[:20]}.", hint=HINT, Allow=method)
    if method != "GET" and request.headers.get("Sec-Fetch-Site") in FOREIGN:
        _refuse(403, "Another site's page may not do that in your name.")


async def _given(request: web.Request, verb: Verb[Any]) -> dict[str, Any]:
    """What the request says to the verb: its query if that reads, else its body."""
    if verb.reads:
        return over_http.from_query(verb, list(request.query.items()))
    if request.query:
        _refuse(400, "A changing request takes no query parameters.", hint="Put them into the body, as JSON.")
    body = await _body(request)
    if not body:
        return {}
    if request.content_type != "application/json":
        _refuse(415, "The body must be JSON.", hint="Send the header Content-Type: application/json")
    try:
        given = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        _refuse(400, "The body is not valid JSON.")
    if not isinstance(given, dict):
        _refuse(400, "The body must be a JSON object.", hint='Such as: {"pairs": ["DEBUG=1"]}')
    return given


async def _body(request: web.Request) -> bytes:
    """All of the body, up to 1 MiB (aiohttp's own bound)."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        _refuse(413, "The body is larger than 1 MiB.")
    except Exception:  # cut off or badly packed: aiohttp has a dozen names for it
        _refuse(400, "The body could not be read to its end.")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
