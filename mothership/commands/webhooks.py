"""webhooks, webhooks:add, webhooks:remove, webhooks:deliveries."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from builder import addresses
from builder.fetch import REF, git_address
from hooks.webhook import PROVIDERS, api_of, provider_of
from mothership.commands.deploy import without_login
from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import (
    AppListing,
    Verb,
    bounded,
    hidden,
    json_option,
    moment,
    option,
    positional,
    say,
    table,
)
from mothership.errors import Invalid, NotFound
from mothership.model import Role
from mothership.store.doors import Webhook

MOST = 20
LONGEST = 500
EXAMPLE = "Such as: webhooks:add APP --url https://github.com/ada/blog.git --branch main"


@dataclass(frozen=True)
class AddArgs:
    app: str
    url: str = option("--url", default="", help="The repository to pull.", shown=without_login)
    branch: str = option("--branch", default="main", help="The branch whose pushes deploy.")
    provider: str = option("--provider", default="", help="github, gitlab or gitea (Forgejo); guessed from the URL.")
    token: str = option("--token", default="", help="To post commit statuses; - reads it from input.", shown=hidden)
    api: str = option("--api", default="", help="The provider's API, if it isn't at its usual place.")


@dataclass(frozen=True)
class RemoveArgs:
    app: str
    webhook: str = positional("WEBHOOK")


@dataclass(frozen=True)
class DeliveriesArgs:
    app: str
    num: int = option("-n", "--num", default=20, help="How many of the last ones.")
    json: bool = json_option()


async def webhooks(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    rows = [
        {
            "webhook": hook.slug,
            "url": hook.url,
            "branch": hook.branch,
            "provider": hook.provider,
            "statuses": bool(hook.token),
            "user": house.accounts.name(hook.user),
            "created": moment(hook.created),
        }
        for hook in house.webhooks.of(app.name)
    ]
    table(
        caller, rows, as_json=args.json, empty=f"{app.name} has no webhooks. Add one: webhooks:add {app.name} --url URL"
    )


async def add(house: House, caller: Session, args: AddArgs) -> None:
    """Print the address and the secret to give to the provider. The secret is not shown again."""
    app = house.app(args.app, caller.user)
    if app.parent:
        raise Invalid(f"{app.name} is a preview.", "Previews are deployed by pushing their branch.")
    if len(house.webhooks.of(app.name)) >= MOST:
        raise Invalid(f"{app.name} has {MOST} webhooks already.", f"Remove one: webhooks:remove {app.name} WEBHOOK")
    if not args.url:
        raise Invalid("Say which repository.", EXAMPLE)
    address = git_address(args.url)
    if address.password:
        raise Invalid("A webhook's URL has no password in it.", f"Use ssh and the app's key: deploykey {app.name}")
    if not REF.fullmatch(args.branch) or address.ref:
        raise Invalid(f"{args.branch[:60]!r} is not a branch.", EXAMPLE)
    provider = args.provider or provider_of(address.host)
    if provider not in PROVIDERS:
        raise Invalid(f"{provider[:40]!r} is not a provider.", f"Known: {', '.join(PROVIDERS)}")
    await addresses.allow(address.host, house.settings.internal_hosts)
    api = _api(args.api, house.settings.internal_hosts) if args.api else api_of(provider, address.host)
    await addresses.allow(urlsplit(api).hostname or "", house.settings.internal_hosts)
    await house.repos.create(app.name, branch=app.branch)
    token = args.token if args.token != "-" else (await caller.read(LONGEST)).decode(errors="replace").strip()
    if not token.isascii() or not token.isprintable() or len(token) > LONGEST:
        raise Invalid("That is not a token.")
    hook = house.webhooks.add(
        app.name,
        caller.user.id,
        url=address.url,
        branch=args.branch,
        provider=provider,
        api=api,
        token=token,
    )
    house.logs.of(app.name).note("api", f"Webhook for {hook.url} added by {caller.user.name}")
    say(caller, f"URL:     {house.settings.url}/hooks/{app.name}/{hook.slug}")
    say(caller, f"Secret:  {hook.secret}")
    say(caller, f"Give both to {provider}, with application/json and push events. The secret is not shown again.")
    if address.url.startswith("ssh:"):
        say(caller, f"The repository must know the app's key: deploykey {app.name}")


async def remove(house: House, caller: Session, args: RemoveArgs) -> None:
    app = house.app(args.app, caller.user)
    hook = _named(house, app.name, args.webhook)
    house.webhooks.remove(hook)
    house.logs.of(app.name).note("api", f"Webhook for {hook.url} removed by {caller.user.name}")
    say(caller, f"Pushes to {hook.url} no longer deploy {app.name}.")


async def deliveries(house: House, caller: Session, args: DeliveriesArgs) -> None:
    app = house.app(args.app, caller.user)
    rows = [
        {
            "at": moment(row["at"]),
            "webhook": row["slug"],
            "event": row["event"],
            "commit": row["commit_id"][:12] or None,
            "outcome": row["status"] or row["outcome"],
            "build": row["build"] or None,
        }
        for row in house.webhooks.deliveries(app.name, limit=bounded(args.num))
    ]
    table(caller, rows, as_json=args.json, empty=f"Nothing has come to {app.name}'s webhooks yet.")


def _api(text: str, internal: object) -> str:
    """Raises Invalid for what is no API's address; plain HTTP is for hosts that an admin has allowed."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = parts.scheme == "http" and isinstance(internal, list | tuple) and addresses.named(host, internal)
    if not host or not (parts.scheme == "https" or plain) or parts.username or parts.query or parts.fragment:
        raise Invalid(
            f"{without_login(text)[:60]!r} is not an API's address.", "Such as: https://git.example.com/api/v1"
        )
    return text.rstrip("/")


def _named(house: House, app: str, name: str) -> Webhook:
    for hook in house.webhooks.of(app):
        if name in (hook.slug, hook.url):
            return hook
    raise NotFound(f"{app} has no webhook {name[:60]!r}.", f"See them: webhooks {app}")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "webhooks",
        "List the repositories whose pushes deploy an app.",
        AppListing,
        webhooks,
        ("webhooks blog",),
        role=Role.VIEWER,
        reads=True,
        columns=("webhook", "url", "branch", "provider", "statuses: boolean", "user", "created: time"),
    ),
    Verb(
        "webhooks:add",
        "Have pushes to a repository elsewhere deploy an app.",
        AddArgs,
        add,
        (
            "webhooks:add blog --url https://github.com/ada/blog.git --branch main",
            "webhooks:add blog --url git@git.example.com:ada/blog.git --provider gitea --token - < token.txt",
        ),
    ),
    Verb(
        "webhooks:remove",
        "Let a repository's pushes no longer deploy an app.",
        RemoveArgs,
        remove,
        ("webhooks:remove blog WEBHOOK",),
    ),
    Verb(
        "webhooks:deliveries",
        "List what came to an app's webhooks, and what became of it.",
        DeliveriesArgs,
        deliveries,
        ("webhooks:deliveries blog",),
        role=Role.VIEWER,
        reads=True,
        columns=("at: time", "webhook", "event", "commit?", "outcome", "build?"),
    ),
)
