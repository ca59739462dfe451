"""What a daemon that died left behind, put away before the next one opens its doors."""

from mothership.config import Settings
from mothership.engine import Engine
from mothership.log import logger
from mothership.repos import Repos
from mothership.store import Builds, Releases
from mothership.swarm.plan import INSTANCE, ROLE

log = logger()


async def sweep(settings: Settings, engine: Engine, repos: Repos, builds: Builds, releases: Releases) -> None:
    """Quarantines, half builds, half releases and one-off containers of dead pushes go.

    The services of half releases go with upkeep's first look. Raises EngineUnavailable.
    """
    quarantines, dead_builds, dead_releases = repos.sweep(), builds.abandon(), releases.abandon()
    containers = await engine.containers({INSTANCE: settings.instance, ROLE: "run"})
    for container in containers:
        await engine.remove(container["Id"])
    if quarantines or dead_builds or dead_releases or containers:
        log.info(
            "swept",
            quarantines=quarantines,
            builds=dead_builds,
            releases=dead_releases,
            containers=len(containers),
        )
