"""The daemon: every room built, opened in order, and closed in the reverse of it."""

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass

from builder import Builder
from hooks.deliver import Deliveries
from hooks.detach import Detached
from hooks.incoming import Incoming
from hooks.post_receive import Deployer
from hooks.recipe import Recipe
from hooks.rename import Renaming
from hooks.submodules import Submodules
from mothership.applogs import AppLogs
from mothership.commands.dispatch import Dispatch
from mothership.commands.house import House
from mothership.commands.table import VERBS
from mothership.config import Settings
from mothership.engine import Engine
from mothership.log import logger
from mothership.logs.segments import Bounds
from mothership.releases import AppLocks, BuildSlots, Shipper, Upkeep, requests
from mothership.releases.checks import Examiner
from mothership.releases.cleanup import Cleanup
from mothership.releases.diagnosis import Diagnosis
from mothership.releases.doctor import Doctor
from mothership.releases.leftovers import sweep
from mothership.releases.phase import Phase
from mothership.releases.retire import Retirement
from mothership.releases.running import Running
from mothership.releases.runs import DetachedRuns
from mothership.releases.vitals import Vitals
from mothership.repos import Repos
from mothership.store import Accounts, Apps, Audit, Builds, Releases, Store
from mothership.store.doors import DeployKeys, Logins, Webhooks
from mothership.store.drains import Drains
from mothership.swarm.cluster import Cluster
from mothership.swarm.network import ensure_network
from receiver import access, api, webhooks
from receiver.http import application, serving
from receiver.ssh import SshServer
from router import Router

log = logger()


@dataclass(frozen=True)
class Rooms:
    """The rooms of one installation, connected and not yet open."""

    settings: Settings
    store: Store
    house: House
    builder: Builder
    upkeep: Upkeep


def build(settings: Settings) -> Rooms:
    """Connect the rooms."""
    store = Store(settings.data)
    engine = Engine(settings.docker_host)
    accounts, apps, releases, builds = Accounts(store), Apps(store), Releases(store), Builds(store)
    repos, audit = Repos(settings.data), Audit(store)
    cluster, router, builder = Cluster(settings, engine), Router(settings, engine), Builder(settings, engine)
    logs = AppLogs(
        settings.data,
        engine,
        bounds=Bounds(settings.log_size, settings.log_days),
        drains=Drains(store),
        exists=apps.exists,
        ca_bundle=settings.ca_bundle,
        proxy_port=settings.http_port,
    )
    locks = AppLocks()
    examiner = Examiner(engine, router)
    shipper = Shipper(
        settings,
        apps,
        releases,
        cluster,
        router,
        Diagnosis(settings, engine),
        examiner,
        Phase(settings, engine),
        Retirement(settings, engine, releases, cluster, router),
        logs,
    )
    slots, running = BuildSlots(settings.builds), Running()
    deploy_keys, logins = DeployKeys(store), Logins(store)
    submodules = Submodules(repos, builder.fetcher, deploy_keys, settings.max_input_size << 20)
    recipe = Recipe(settings, apps, releases, builds, builder, shipper, slots, running, logs, submodules)
    detached = Detached(builds, releases, repos, locks, recipe, running)
    deliveries = Deliveries(
        settings, releases, builds, repos, builder, locks, slots, recipe, detached, deploy_keys, logins
    )
    deployer = Deployer(
        accounts,
        apps,
        releases,
        builds,
        audit,
        repos,
        builder,
        shipper,
        locks,
        slots,
        recipe,
        Renaming(settings, apps, releases, repos, builder, cluster, router, shipper, logs),
        running,
        deliveries,
        preview_days=settings.preview_days,
        detached=detached,
    )
    vitals = Vitals(engine, router, examiner, logs)
    upkeep = Upkeep(settings, engine, apps, releases, cluster, router, shipper, locks, logs, builder, vitals)
    house = House(
        settings=settings,
        engine=engine,
        accounts=accounts,
        apps=apps,
        releases=releases,
        builds=builds,
        audit=audit,
        repos=repos,
        cluster=cluster,
        router=router,
        shipper=shipper,
        locks=locks,
        running=running,
        detached=DetachedRuns(settings, engine, logs),
        deployer=deployer,
        deliveries=deliveries,
        builder=builder,
        slots=slots,
        cleanup=Cleanup(settings, engine, apps, releases, builder, slots),
        doctor=Doctor(
            settings, engine, apps, releases, repos, builder, cluster, router, locks, shipper.retirement, upkeep
        ),
        logs=logs,
        webhooks=Webhooks(store),
        deploy_keys=deploy_keys,
        logins=logins,
    )
    return Rooms(settings=settings, store=store, house=house, builder=builder, upkeep=upkeep)


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Apps and the proxy live on without the daemon."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    rooms = build(settings)
    async with AsyncExitStack() as stack:
        await _open(rooms, stack)
        log.info("ready", ssh_port=settings.ssh_port, url=settings.url)
        await stopped.wait()
        log.info("stopping")


async def _open(rooms: Rooms, stack: AsyncExitStack) -> None:
    settings, house = rooms.settings, rooms.house
    stack.callback(rooms.store.close)
    house.deployer.mend_refs()
    await sweep(settings, house.engine, house.repos, house.builds, house.releases)
    await ensure_network(settings, house.engine)
    await rooms.builder.start()
    await house.router.start()
    stack.push_async_callback(house.router.close)
    house.logs.open(settings.instance)
    await stack.enter_async_context(requests.logged(settings.data / "run", house.router, house.logs, rooms.upkeep.dyno))
    await house.detached.resume()
    stack.push_async_callback(house.detached.close)
    await rooms.upkeep.once()
    for work in (rooms.upkeep.forever(), house.deployer.previews.forever(), house.cleanup.forever()):
        stack.push_async_callback(_end, asyncio.create_task(work))
    stack.push_async_callback(rooms.upkeep.close)
    stack.push_async_callback(house.logs.close)
    stack.push_async_callback(house.shipper.retirement.close)
    incoming = Incoming(settings, house.accounts, house.apps, house.audit, house.webhooks, house.deliveries)
    stack.push_async_callback(incoming.close)
    stack.push_async_callback(house.deployer.detached.close)
    incoming.resume()
    commands = Dispatch(house)
    door = application(settings, house.accounts, house.deployer, lambda app: house.apps.get(app).page)
    api.mount(door, settings, house.accounts, commands, VERBS.values())
    webhooks.mount(door, incoming)
    await stack.enter_async_context(serving(door, settings.data / "run" / "http.sock"))
    ssh = SshServer(settings, house.accounts, house.deployer, commands)
    house.accounts.on_revoked(ssh.revoked)
    house.accounts.on_revoked(door[access.OPEN].revoked)
    await ssh.start()
    stack.push_async_callback(ssh.close)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
