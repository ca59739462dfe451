"""domains, domains:add, domains:remove, maintenance:on, maintenance:off."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import AppListing, AppOnly, Verb, option, positional, say, table
from mothership.errors import Conflict, Invalid, NotFound
from mothership.model import Role
from mothership.store import App
from router.table import checked_host

LARGEST = 256 * 1024
"""Bytes of a maintenance page."""


@dataclass(frozen=True)
class DomainArgs:
    app: str
    domain: str = positional("DOMAIN")


@dataclass(frozen=True)
class MaintenanceArgs:
    app: str
    page: bool = option("--page", default=False, help="Read the page that visitors get, HTML, from standard input.")


async def domains(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    rows = [
        {"domain": host, "kind": "own" if number == 0 else "added"}
        for number, host in enumerate(house.apps.hosts(app, house.settings.domain))
    ]
    table(caller, rows, as_json=args.json, empty="")


async def add(house: House, caller: Session, args: DomainArgs) -> None:
    """The name's DNS must lead to this server; that is the user's to do."""
    app = house.app(args.app, caller.user)
    host = _free(house, app, args.domain)
    house.apps.add_domain(app, host)
    await _route(house, app)
    say(caller, f"{host} leads to {app.name} as soon as its DNS record points at this server.")


async def remove(house: House, caller: Session, args: DomainArgs) -> None:
    app = house.app(args.app, caller.user)
    host = checked_host(args.domain)
    if not house.apps.remove_domain(app, host):
        raise NotFound(f"{host} was not added to {app.name}.", f"See its domains: domains {app.name}")
    await _route(house, app)
    say(caller, f"{host} does not lead to {app.name} any more.")


async def close(house: House, caller: Session, args: MaintenanceArgs) -> None:
    """Visitors get a 503 page; the processes run on."""
    app = house.app(args.app, caller.user)
    page = await _page(caller) if args.page else ""
    house.apps.set_maintenance(app, True, page)
    await _route(house, app)
    say(caller, f"{app.name} is in maintenance: visitors get {'your' if page else 'a'} page with status 503.")


async def reopen(house: House, caller: Session, args: AppOnly) -> None:
    app = house.app(args.app, caller.user)
    house.apps.set_maintenance(app, False, "")
    await _route(house, app)
    say(caller, f"{app.name} takes requests again.")


async def _route(house: House, app: App) -> None:
    """Tell the proxy at once; upkeep would, by and by."""
    async with house.shipper.switching(app.name):
        now = house.apps.get(app.name)
        await house.router.set_hosts(app.name, house.apps.hosts(now, house.settings.domain))
        await house.router.set_closed(app.name, now.closed)
        await house.router.set_logged(app.name, now.logged)


def _free(house: House, app: App, domain: str) -> str:
    """A hostname that the app may have. Raises Invalid, Conflict."""
    host, own = checked_host(domain), house.settings.domain
    if host == own or host.endswith(f".{own}"):
        raise Invalid(
            f"Names below {own} belong to the apps they name.", "Rename the app, or use a domain of your own."
        )
    owner = house.apps.domain_owner(host)
    if owner == app.name:
        raise Conflict(f"{host} leads to {app.name} already.")
    if owner:
        raise Conflict(f"{host} leads to another app of this server.")
    return host


async def _page(caller: Session) -> str:
    data = b""
    while chunk := await caller.read():
        data += chunk
        if len(data) > LARGEST:
            raise Invalid(f"The page is larger than {LARGEST // 1024} KiB.")
    if not data.strip():
        raise Invalid("There is no page on standard input.", "Such as: maintenance:on blog --page <page.html")
    return data.decode(errors="replace")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "domains",
        "List the hostnames of an app.",
        AppListing,
        domains,
        ("domains blog",),
        role=Role.VIEWER,
        reads=True,
        columns=(
            "domain",
            "kind",
        ),
    ),
    Verb(
        "domains:add",
        "Lead a hostname of your own to an app.",
        DomainArgs,
        add,
        ("domains:add blog www.example.com", "domains:add blog '*.example.com'"),
    ),
    Verb(
        "domains:remove", "Lead a hostname to an app no more.", DomainArgs, remove, ("domains:remove blog a.example",)
    ),
    Verb(
        "maintenance:on",
        "Give an app's visitors a 503 page.",
        MaintenanceArgs,
        close,
        ("maintenance:on blog", "maintenance:on blog --page"),
    ),
    Verb("maintenance:off", "Let an app take requests again.", AppOnly, reopen, ("maintenance:off blog",)),
)
