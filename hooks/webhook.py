"""What GitHub, GitLab, Gitea and Forgejo send when somebody pushed: is it theirs, and what does it say?"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from mothership.errors import Invalid

BRANCH = "refs/heads/"
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
CONTEXT = "mothership"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Provider:
    """Where a provider puts its facts: headers (lower case), and the API for commit statuses.

    `signed` says that the proof covers the body; `path` is the API's below a self-hosted server.
    """

    proof: tuple[str, ...]
    event: tuple[str, ...]
    delivery: tuple[str, ...]
    signed: bool
    path: str
    push: tuple[str, ...] = ("push",)


PROVIDERS: Mapping[str, Provider] = {
    "github": Provider(("x-hub-signature-256",), ("x-github-event",), ("x-github-delivery",), True, "/api/v3"),
    "gitlab": Provider(
        ("x-gitlab-token",),
        ("x-gitlab-event",),
        ("idempotency-key", "x-gitlab-webhook-uuid", "x-gitlab-event-uuid"),
        False,
        "/api/v4",
        ("push hook",),
    ),
    "gitea": Provider(
        ("x-gitea-signature", "x-forgejo-signature", "x-gogs-signature"),
        ("x-gitea-event", "x-forgejo-event", "x-gogs-event"),
        ("x-gitea-delivery", "x-forgejo-delivery", "x-gogs-delivery"),
        True,
        "/api/v1",
    ),
}
PUBLIC = {"github.com": "https://api.github.com"}
STATES = {
    "github": {"pending": "pending", "success": "success", "failure": "failure"},
    "gitlab": {"pending": "running", "success": "success", "failure": "failed"},
    "gitea": {"pending": "pending", "success": "success", "failure": "failure"},
}


@dataclass(frozen=True)
class Event:
    """One delivery. `ignored` says why it deploys nothing, "" when it does; `commit` is where the branch is now."""

    kind: str
    key: str
    digest: str
    commit: str = ""
    ignored: str = ""


def provider_of(host: str) -> str:
    """The provider that a repository's host looks like; GitHub's way of speaking is the commonest."""
    if "gitlab" in host:
        return "gitlab"
    return "gitea" if any(name in host for name in ("gitea", "forgejo", "codeberg", "gogs")) else "github"


def genuine(provider: str, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether a delivery comes from who knows the secret, in constant time, over the body as it came."""
    known = PROVIDERS[provider]
    given = _first(headers, known.proof)
    if not known.signed:
        return hmac.compare_digest(given.encode(), secret.encode())
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.removeprefix("sha256=").encode(), expected.encode())


def read(provider: str, headers: Mapping[str, str], body: bytes, branch: str) -> Event:
    """What a genuine delivery says. Raises Invalid for what is no delivery."""
    known = PROVIDERS[provider]
    kind = _first(headers, known.event).lower()[:60]
    key = re.sub(r"[^\w.:-]", "?", _first(headers, known.delivery))[:100]
    digest = hashlib.sha256(kind.encode() + b"\0" + body).hexdigest()
    key, digest = key or digest, digest if known.signed else ""
    if not kind:
        raise Invalid("That is no webhook's delivery: it names no event.", reason="no event")
    if kind not in known.push:
        return Event(kind, key, "", ignored="ping" if kind == "ping" else f"event {_shown(kind)}")
    said = _payload(headers, body)
    ref, after = str(said.get("ref") or ""), str(said.get("after") or "")
    if ref != f"{BRANCH}{branch}":
        return Event(kind, key, digest, ignored=f"branch {_shown(ref.removeprefix(BRANCH))}")
    if not after.strip("0") or said.get("deleted") is True:
        return Event(kind, key, digest, ignored="the branch was deleted")
    if not COMMIT.fullmatch(after):
        raise Invalid("The push names no commit.", reason="no commit")
    return Event(kind, key, digest, commit=after)


def api_of(provider: str, host: str) -> str:
    """The provider's API at a repository's host."""
    return PUBLIC.get(host, f"https://{host}{PROVIDERS[provider].path}")


@dataclass(frozen=True)
class Status:
    """A commit status, as a request to the provider's API. `headers` hold the token."""

    url: str
    headers: Mapping[str, str]
    body: Mapping[str, str]


def status(
    provider: str, api: str, repository: str, commit: str, token: str, state: str, text: str, link: str
) -> Status:
    """The request that sets a commit's status; `repository` is its URL and `state` pending, success or failure."""
    path = urlsplit(repository).path.strip("/").removesuffix(".git")
    named = {"state": STATES[provider][state], "target_url": link, "description": text[:140]}
    if provider == "gitlab":
        url = f"{api}/projects/{quote(path, safe='')}/statuses/{commit}"
        return Status(url, {"PRIVATE-TOKEN": token}, named | {"name": CONTEXT})
    url = f"{api}/repos/{quote(path)}/statuses/{commit}"
    scheme = "Bearer" if provider == "github" else "token"
    return Status(url, {"Authorization": f"{scheme} {token}"}, named | {"context": CONTEXT})


def _payload(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The delivery's JSON: the body, or the field of a form, which is what GitHub sends unless told otherwise."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", FORM):
        raise Invalid("Have the webhook send application/json.", reason="not JSON")
    try:
        fields = parse_qs(body.decode(), max_num_fields=10) if kind == FORM else {}
        said = json.loads(fields.get("payload", [""])[0] if kind == FORM else body)
    except (ValueError, RecursionError) as error:
        raise Invalid("The delivery is not valid JSON.", reason="not JSON") from error
    if not isinstance(said, dict):
        raise Invalid("The delivery is not a JSON object.", reason="not JSON")
    return said


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((headers[name] for name in names if headers.get(name)), "")


def _shown(text: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", text)[:60]
