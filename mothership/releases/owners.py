"""Which app a service belongs to: the one in its label, or the one that a rename has made of it since."""

from collections.abc import Iterable

from mothership.swarm.cluster import Service
from mothership.swarm.tasks import Task


class Owners:
    """The services that outlive their app's earlier name: a new app may take that name at once."""

    def __init__(self) -> None:
        self._moved: dict[str, tuple[str, str]] = {}
        """Service id → the service's name and the app it belongs to."""

    def of(self, each: Service | Task) -> str:
        """The app that a service or a task belongs to today, "" for none."""
        _, app = self._moved.get(each.id if isinstance(each, Service) else each.service, ("", each.app))
        return app

    def anothers(self, service: str, app: str) -> bool:
        """Whether the service of this name is left from an app that had the name before."""
        return any(name == service and owner != app for name, owner in self._moved.values())

    def move(self, services: Iterable[Service], app: str) -> None:
        """These services are this app's from now on."""
        self._moved |= {service.id: (service.name, app) for service in services}

    def forget(self, service: Service) -> None:
        """A service is gone."""
        self._moved.pop(service.id, None)
