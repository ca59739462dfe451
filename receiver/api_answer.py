"""The two shapes of an answer: JSON once the verb has ended, or server-sent events while it works."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import hdrs, web

from mothership.errors import Invalid, MothershipError
from receiver import api_problem, failure
from receiver.api_caller import Caller, Line

STREAM = "text/event-stream"
HEADERS = {hdrs.CONTENT_TYPE: STREAM, hdrs.CACHE_CONTROL: "no-store", "X-Accel-Buffering": "no"}
QUIET = 15.0
"""Seconds without a line after which a comment shows the client, and us, that the other end is still there."""

FAILED, MISUSED, BUG = 1, 2, 70
"""Exit statuses, as over SSH."""

Work = Callable[[Caller], Awaitable[int]]


async def whole(caller: Caller, work: Work, *, as_json: bool) -> web.Response:
    """Wait for the verb's end and answer with all of it. Raises MothershipError, and what bugs raise."""
    status = await work(caller)
    caller.end()
    if as_json:
        data = caller.data.decode()
        json.loads(data)  # what a verb prints is sent as it is, if it is JSON
        body = f'{{"exit": {status}, "data": {data.strip()}}}'
    else:
        body = json.dumps({"exit": status, "lines": caller.texts("stdout"), "errors": caller.texts("stderr")})
    return web.json_response(text=body, headers={hdrs.CACHE_CONTROL: "no-store"})


async def stream(request: web.Request, caller: Caller, work: Work, where: str) -> web.StreamResponse:
    """Answer line by line (WHATWG HTML, section 9.2).

    The verb runs in the request's own task, so that it is cancelled when the client has gone.
    """
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    passing = asyncio.ensure_future(_pass_on(response, caller))
    try:
        outcome = await _outcome(caller, work, where)
        with contextlib.suppress(ConnectionError):  # nobody listens any more
            await passing
            await response.write(_event("end", outcome))
            await response.write_eof()
    finally:
        passing.cancel()
    return response


async def _pass_on(response: web.StreamResponse, caller: Caller) -> None:
    """Send the lines as they come, until the verb has ended."""
    while not (caller.ended and not caller.lines):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(caller.arrival(), QUIET)
        await response.write(b"".join(map(_line, caller.take())) or b": still here\n\n")


async def _outcome(caller: Caller, work: Work, where: str) -> dict[str, Any]:
    """Do it; the last event's data: the exit status, and what went wrong if something did."""
    try:
        return {"exit": await work(caller)}
    except Exception as error:
        known = failure.explained(error, where)
        return {"exit": _status(known), "problem": api_problem.of(known).body()}
    finally:
        caller.end()


def _status(error: MothershipError) -> int:
    if isinstance(error, failure.Bug):
        return BUG
    return MISUSED if isinstance(error, Invalid) else FAILED


def _line(line: Line) -> bytes:
    return _event("line", {"text": line.text, "stream": line.stream})


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
