"""Failures as the API tells them: problem details for HTTP (RFC 9457)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import hdrs, web

from mothership.errors import (
    BuildFailed,
    Conflict,
    Invalid,
    MothershipError,
    NotFound,
    Refused,
    ReleaseFailed,
    TooLarge,
)
from mothership.errors import Unavailable as Away
from receiver import failure

TYPE = "application/problem+json"
KINDS: tuple[tuple[type[MothershipError], int, str, str], ...] = (
    (failure.Bug, 500, "bug", "Mothership hit a bug"),
    (TooLarge, 413, "too-large", "It is too large"),
    (Invalid, 400, "invalid", "What was asked for can't be"),
    (Refused, 403, "refused", "Not allowed"),
    (NotFound, 404, "not-found", "There is no such thing"),
    (Conflict, 409, "conflict", "Something is in the way"),
    (BuildFailed, 422, "build-failed", "The build failed"),
    (ReleaseFailed, 422, "release-failed", "The release failed"),
    (Away, 503, "unavailable", "A part of the server can't be reached"),
    (MothershipError, 409, "conflict", "Something is in the way"),
)
PLAIN = {
    400: ("invalid", "That is not a request the API understands"),
    401: ("unauthenticated", "No valid access token"),
    403: ("refused", "Not allowed"),
    404: ("unknown-path", "There is no such path"),
    405: ("wrong-method", "That path takes another method"),
    413: ("too-large", "The body is too large"),
    415: ("not-json", "The body is not JSON"),
}
CHALLENGES = ('Bearer realm="Mothership"', 'Basic realm="Mothership", charset="UTF-8"')
CLOSED = {hdrs.CACHE_CONTROL: "no-store"}


@dataclass(frozen=True)
class Problem:
    """One failure: RFC 9457's members, and what Mothership's errors have beyond them."""

    status: int
    kind: str
    title: str
    detail: str
    hint: str = ""
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        return {
            "type": f"urn:mothership:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "hint": self.hint,
            "reason": self.reason or self.kind.replace("-", " "),
        }

    def response(self) -> web.Response:
        answer = web.Response(status=self.status, body=json.dumps(self.body()).encode(), headers=CLOSED)
        answer.headers.update(self.headers)
        answer.content_type = TYPE
        if self.status == 401:
            for challenge in CHALLENGES:
                answer.headers.add(hdrs.WWW_AUTHENTICATE, challenge)
        return answer


def of(error: MothershipError) -> Problem:
    """What a verb raised, or a bug that `failure.explained` has logged."""
    status, kind, title = next(row[1:] for row in KINDS if isinstance(error, row[0]))
    return Problem(status, kind, title, error.message, error.hint, error.reason)


def plain(status: int, detail: str, *, hint: str = "", **headers: str) -> Problem:
    """A failure of the request itself, before any verb."""
    kind, title = PLAIN[status]
    return Problem(status, kind, title, detail, hint, headers=headers)


def raised(error: web.HTTPException) -> Problem:
    """What the receiver's other parts raise as plain text: the first sentence is the detail, the rest the hint."""
    detail, *hint = re.split(r"(?<=\.)\s", " ".join((error.text or error.reason).split()), maxsplit=1)
    return plain(error.status if error.status in PLAIN else 400, detail, hint="".join(hint))
