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
    """Answer line by line (WHATWG HTML, section 9.2); the verb is cancelled when the client has gone."""
    response = web.StreamResponse(headers=HEADERS)
    task = asyncio.ensure_future(work(caller))
    try:
        await response.prepare(request)
        while not task.done():
            await _pause(task, caller)
            await _send(response, caller.take())
        caller.end()
        await _send(response, caller.take(), quietly=True)
        await response.write(_event("end", _outcome(task, where)))
        await response.write_eof()
    except ConnectionError:
        pass  # nobody listens any more
    finally:
        await _stop(task)
    return response


async def _pause(task: "asyncio.Future[int]", caller: Caller) -> None:
    """Wait for a line, the verb's end, or long enough."""
    arrival = asyncio.ensure_future(caller.arrival())
    either: set[asyncio.Future[Any]] = {task, arrival}
    try:
        await asyncio.wait(either, timeout=QUIET, return_when=asyncio.FIRST_COMPLETED)
    finally:
        arrival.cancel()


async def _send(response: web.StreamResponse, lines: list[Line], *, quietly: bool = False) -> None:
    if lines:
        await response.write(b"".join(_event("line", {"text": one.text, "stream": one.stream}) for one in lines))
    elif not quietly:
        await response.write(b": still here\n\n")


def _outcome(task: "asyncio.Future[int]", where: str) -> dict[str, Any]:
    """The last event: the exit status, and what went wrong if something did."""
    error = task.exception()
    if error is None:
        return {"exit": task.result()}
    if not isinstance(error, Exception):
        raise error
    known = failure.explained(error, where)
    return {"exit": _status(known), "problem": api_problem.of(known).body()}


def _status(error: MothershipError) -> int:
    if isinstance(error, failure.Bug):
        return BUG
    return MISUSED if isinstance(error, Invalid) else FAILED


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


async def _stop(task: "asyncio.Future[int]") -> None:
    if not task.done():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
