"""Webhooks at work: a genuine push to the right branch deploys in the background, and the provider hears of it."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from builder import addresses
from builder.fetch import git_address
from hooks import webhook
from hooks.deliver import Deliveries, Given, How
from mothership.config import Settings
from mothership.errors import Conflict, MothershipError, NotFound, Refused
from mothership.log import logger
from mothership.model import Role, User
from mothership.output import Output
from mothership.store import Accounts, App, Apps, Audit, Build, Entry
from mothership.store.doors import Webhook, Webhooks

log = logger()
SECONDS = 10
UNKNOWN = "There is no such webhook, or its signature is wrong."
LAST_WORDS = 3
WAITING = 20
"""Deploys that one app's webhooks may have under way or in wait."""


@dataclass(frozen=True)
class Reply:
    """What the provider is told: what became of its delivery, and the build that came of it."""

    outcome: str
    build: str = ""


class Incoming:
    """Takes deliveries. The deploy is in the name of whoever added the webhook, and only if they still may."""

    def __init__(
        self,
        settings: Settings,
        accounts: Accounts,
        apps: Apps,
        audit: Audit,
        webhooks: Webhooks,
        deliveries: Deliveries,
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._apps = apps
        self._audit = audit
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._posting: set[asyncio.Task[None]] = set()
        self._under_way: dict[str, int] = {}

    def take(self, app: str, slug: str, headers: Mapping[str, str], body: bytes, remote: str) -> Reply:
        """Take one delivery and answer at once. Raises NotFound, Refused, Invalid."""
        hook = self._webhooks.find(slug)
        if hook is None or not webhook.genuine(hook.provider, headers, body, hook.secret):
            self._accounts.turned_away(remote, "webhook", f"a delivery to {app[:40]}")
            raise NotFound(UNKNOWN, reason="no such webhook")
        event = webhook.read(hook.provider, headers, body, hook.branch)
        if self._webhooks.seen(hook, event.key, event.digest):
            return Reply("ignored: it came before")
        if event.ignored:
            outcome = "pong" if event.ignored == "ping" else f"ignored: {event.ignored}"
            self._received(hook, event, outcome)
            return Reply(outcome)
        return self._deploy(hook, event, remote)

    def resume(self) -> None:
        """Tell the providers how the deploys ended that a crash of the daemon cut off."""
        for hook, delivery, commit, build in self._webhooks.open():
            self._webhooks.conclude(delivery, "cancelled", build=build)
            self._tell(hook, commit, "failure", f"The deploy was cut off, build {build}")

    async def close(self) -> None:
        """Give what is still to be posted a moment, then give up on it."""
        if self._posting:
            await asyncio.wait(self._posting, timeout=LAST_WORDS)
        for task in self._posting:
            task.cancel()
        if self._posting:
            await asyncio.wait(self._posting)

    def _deploy(self, hook: Webhook, event: webhook.Event, remote: str) -> Reply:
        found = self._apps.get(hook.app)
        name = self._accounts.name(hook.user)
        delivery = self._received(hook, event, "deploying")
        try:
            user = self._deployer(found, name)
            if self._under_way.get(hook.app, 0) >= WAITING:
                raise Conflict(f"{hook.app} has too many deploys in wait.", "Try again later.")
            address = replace(git_address(hook.url), ref=hook.branch)
            given = Given(f"{address.shown} ({event.commit[:7]})", git=address, wanted=event.commit)
            then = partial(self._ended, hook, event.commit, delivery)
            build = self._deliveries.hand_over(found, user, given, How(), Output(), then)
        except MothershipError as error:
            self._webhooks.conclude(delivery, f"refused: {error.message}", build="")
            self._record(name, remote, hook, event, f"refused: {error.message}")
            raise
        self._under_way[hook.app] = self._under_way.get(hook.app, 0) + 1
        self._webhooks.conclude(delivery, "deploying", build=build)
        self._record(name, remote, hook, event, f"build {build}")
        self._tell(hook, event.commit, "pending", f"Deploying to {hook.app}")
        return Reply("deploying", build)

    def _deployer(self, app: App, name: str) -> User:
        user = self._accounts.user(name)
        role = self._apps.role(app, user)
        if role is None or role < Role.DEPLOYER:
            raise Refused(f"{name}, who added this webhook, may not deploy {app.name} any more.")
        return user

    async def _ended(self, hook: Webhook, commit: str, delivery: int, build: Build) -> None:
        self._under_way[hook.app] = max(0, self._under_way.get(hook.app, 1) - 1)
        self._webhooks.conclude(delivery, build.status, build=build.id)
        worked = build.status == "succeeded"
        text = f"Serving at {self._settings.app_url(hook.app)}" if worked else f"The deploy {build.status}"
        self._tell(hook, commit, "success" if worked else "failure", f"{text}, build {build.id}")

    def _received(self, hook: Webhook, event: webhook.Event, outcome: str) -> int:
        key, digest = event.key, event.digest
        return self._webhooks.receive(hook, key, digest, event=event.kind, commit=event.commit, outcome=outcome)

    def _record(self, name: str, remote: str, hook: Webhook, event: webhook.Event, outcome: str) -> None:
        detail = f"{hook.branch} {event.commit[:7]} of {hook.url}"
        self._audit.record(Entry(name, remote, "webhook", "deploy", hook.app, detail, outcome[:500]))

    def _tell(self, hook: Webhook, commit: str, state: str, text: str) -> None:
        """Post a commit status in the background, if there is a token; the deploy is none the worse when that fails."""
        if not hook.token:
            return
        link = self._settings.app_url(hook.app)
        request = webhook.status(hook.provider, hook.api, hook.url, commit, hook.token, state, text, link)
        task = asyncio.create_task(self._post(hook.app, request))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    async def _post(self, app: str, request: webhook.Status) -> None:
        try:
            host = urlsplit(request.url).hostname or ""
            await addresses.allow(host, self._settings.internal_hosts)
            connector = aiohttp.TCPConnector(resolver=Guarded(self._settings))
            timeout = aiohttp.ClientTimeout(total=SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
                session.post(
                    request.url, json=dict(request.body), headers=dict(request.headers), allow_redirects=False
                ) as answer,
            ):
                if answer.status >= 300:
                    log.warning("commit status refused", app=app, host=host, status=answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, MothershipError) as error:
            log.warning("commit status not posted", app=app, error=type(error).__name__)


class Guarded(AbstractResolver):
    """Names as they are, but never an internal address: what was checked before may resolve to another one by now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._resolver: Any = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found: list[ResolveResult] = await self._resolver.resolve(host, port, family)
        for each in found:
            if not addresses.named(host, self._settings.internal_hosts):
                await addresses.allow(each["host"], self._settings.internal_hosts)
        return found

    async def close(self) -> None:
        await self._resolver.close()
