"""Everything a verb can reach."""

from dataclasses import dataclass

from builder import Builder
from hooks.deliver import Deliveries
from hooks.post_receive import Deployer
from mothership.applogs import AppLogs
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import NotFound
from mothership.model import Release, User
from mothership.releases import AppLocks, BuildSlots, Shipper
from mothership.releases.cleanup import Cleanup
from mothership.releases.doctor import Doctor
from mothership.releases.running import Running
from mothership.releases.runs import DetachedRuns
from mothership.repos import Repos
from mothership.store import Accounts, App, Apps, Audit, Builds, Releases
from mothership.store.doors import DeployKeys, Logins, Webhooks
from mothership.swarm.cluster import Cluster
from router import Router


@dataclass(frozen=True)
class House:
    """The rooms of a running server, as the verbs see them."""

    settings: Settings
    engine: Engine
    accounts: Accounts
    apps: Apps
    releases: Releases
    builds: Builds
    audit: Audit
    repos: Repos
    cluster: Cluster
    router: Router
    shipper: Shipper
    locks: AppLocks
    running: Running
    detached: DetachedRuns
    deployer: Deployer
    deliveries: Deliveries
    builder: Builder
    slots: BuildSlots
    cleanup: Cleanup
    doctor: Doctor
    logs: AppLogs
    webhooks: Webhooks
    deploy_keys: DeployKeys
    logins: Logins

    def app(self, name: str, user: User) -> App:
        """An app this user may use. Raises NotFound, in the same words whether it's absent or another's."""
        if self.apps.exists(name):
            app = self.apps.get(name)
            if self.apps.may_use(app, user):
                return app
        raise NotFound(
            f"There is no app {name[:60]!r}, or you have no access to it.", "See your apps: apps", reason="no such app"
        )

    def current(self, app: App) -> Release:
        """The release that serves. Raises NotFound before the first one."""
        release = self.releases.current(app.name)
        if release is None:
            raise NotFound(f"{app.name} has no release yet.", f"Push first: git push mothership {app.branch}")
        return release
