"""scripts/up: from a machine to a server that serves an example. Every step may be taken again."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path

from builder.service import registry_name
from builder.stack import image as stack
from builder.stack.launcher import launcher
from mothership import config
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import EngineUnavailable, NotFound
from mothership.install import daemon, demo, host, machine, people
from mothership.install.ports import refuse_taken
from mothership.install.steps import Steps
from mothership.swarm.network import ensure_network
from router.container import name as proxy_name


async def up(settings: Settings, *, source: Path, with_demo: bool) -> None:
    """Install, start and prove it. Raises MothershipError at the step that failed."""
    steps, engine = Steps(), Engine(settings.docker_host)
    settings = replace(settings, **host.build_settings())  # type: ignore[arg-type]
    with steps.step("Checking ports"):
        await _check_ports(settings, engine)
    with steps.step("Starting the container engine"):
        await machine.start_engine(settings, engine)
    with steps.step("Initializing swarm"):
        await machine.join_swarm(settings, engine)
    with steps.step("Creating the overlay network"):
        await ensure_network(settings, engine)
    with steps.step("Building the stack's images (two minutes, the first time)") as out:
        await stack.ensure(settings, engine, out)
        await launcher(settings, engine)
    with steps.step("Letting you in"):
        who = people.person()
        fresh = _remember(settings)
        key = people.let_in(settings, who)
    with steps.step("Starting the registry, the proxy and the server"):
        await daemon.start(settings, fresh=fresh)
    if with_demo:
        with steps.step(f"Pushing examples/{demo.APP} with git") as out:
            await demo.deploy(settings, source / "examples", key, out)
    steps.total()
    _farewell(settings, who.name, key, with_demo=with_demo)


async def _check_ports(settings: Settings, engine: Engine) -> None:
    mine = daemon.running(settings) and daemon.ours(settings)
    refuse_taken(settings.ssh_port, "--ssh-port", allowed=mine)
    refuse_taken(settings.http_port, "--http-port", allowed=await _runs(engine, proxy_name(settings)))
    refuse_taken(settings.registry_port, "--registry-port", allowed=await _runs(engine, registry_name(settings)))


async def _runs(engine: Engine, container: str) -> bool:
    try:
        return bool((await engine.inspect(container))["State"]["Running"])
    except (NotFound, EngineUnavailable):
        return False


def _remember(settings: Settings) -> bool:
    """Write the settings; whether they or the program differ from what the running server was started with."""
    mark_path = settings.data / "run" / "started-with"
    program = Path(__file__).parents[2]
    digest = hashlib.sha256(repr(sorted(asdict(settings).items())).encode())
    stamp = program / ".mothership-source"
    digest.update(stamp.read_bytes() if stamp.exists() else str(program).encode())
    config.save(settings)
    mark_path.parent.mkdir(parents=True, exist_ok=True)
    if mark_path.exists() and mark_path.read_text() == digest.hexdigest():
        return False
    mark_path.write_text(digest.hexdigest())
    return True


def _farewell(settings: Settings, user: str, key: Path, *, with_demo: bool) -> None:
    print()
    if with_demo:
        print(f"The example is at     {settings.app_url(demo.APP)}")
    print(f"You are the admin     {user}, with the key {key}")
    print("Deploy an app of yours, from its git repository:")
    where = settings.domain if settings.domain != "localhost" else "localhost"
    print(f"  git remote add mothership ssh://mothership@{where}:{settings.ssh_port}/APP")
    print("  git push mothership main")
