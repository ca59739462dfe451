"""What Mothership remembers: one SQLite database in the data directory."""

from mothership.store.accounts import Accounts
from mothership.store.apps import App, Apps
from mothership.store.audit import Audit, Entry
from mothership.store.builds import Build, Builds
from mothership.store.database import Store, now
from mothership.store.releases import Releases

__all__ = ["Accounts", "App", "Apps", "Audit", "Build", "Builds", "Entry", "Releases", "Store", "now"]
