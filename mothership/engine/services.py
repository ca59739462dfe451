"""The engine's Swarm: the cluster, services and their tasks, networks and volumes."""

import contextlib
from collections.abc import Mapping
from typing import Any

import docker
import docker.errors
from docker.auth import encode_header

from mothership.engine.calls import Calls, labelled
from mothership.errors import NotFound

GONE = "out of sequence"


class Services(Calls):
    """Services, tasks and networks by id or name."""

    async def info(self) -> dict[str, Any]:
        return await self.call(lambda api: api.info())

    async def version(self) -> dict[str, Any]:
        return await self.call(lambda api: api.version())

    async def swarm_init(self, advertise: str) -> None:
        await self.call(lambda api: api.init_swarm(advertise_addr=advertise, listen_addr="0.0.0.0:2377"))

    async def swarm_leave(self) -> None:
        await self.call(lambda api: api.leave_swarm(force=True))

    async def create_service(self, spec: Mapping[str, Any]) -> str:
        """Create a service from the JSON of `POST /services/create`; its id."""
        login = self.login_for(str(spec["TaskTemplate"]["ContainerSpec"]["Image"]))
        headers = {"X-Registry-Auth": encode_header(login)} if login else {}
        url = "/services/create"
        made = await self.call(lambda api: api._result(api._post_json(api._url(url), data=spec, headers=headers), True))
        return str(made["ID"])

    async def services(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        return await self.call(lambda api: api.services(filters={"label": labelled(labels)}))

    async def scale_service(self, service: str, replicas: int) -> None:
        """Set a service's replica count, retrying when somebody else changed it at the same time."""

        def verb(api: Any) -> None:
            for attempt in range(10):
                found = api.inspect_service(service)
                spec = found["Spec"]
                spec["Mode"] = {"Replicated": {"Replicas": replicas}}
                url = api._url("/services/{0}/update", found["ID"])
                try:
                    version = {"version": found["Version"]["Index"]}
                    api._raise_for_status(api._post_json(url, data=spec, params=version))
                    return
                except docker.errors.APIError as error:
                    if GONE not in str(error) or attempt == 9:
                        raise

        await self.call(verb)

    async def remove_service(self, service: str) -> None:
        with contextlib.suppress(NotFound):
            await self.call(lambda api: api.remove_service(service))

    async def tasks(
        self, *, service: str = "", labels: Mapping[str, str] | None = None, running: bool = False
    ) -> list[dict[str, Any]]:
        """Tasks of a service, or of services with the labels; `running` leaves out those asked to stop."""
        filters: dict[str, Any] = {}
        if service:
            filters["service"] = service
        if labels:
            filters["label"] = labelled(labels)
        if running:
            filters["desired-state"] = "running"
        return await self.call(lambda api: api.tasks(filters=filters))

    async def node(self) -> str:
        """This engine's own node id in the Swarm."""
        info = await self.info()
        return str(info["Swarm"].get("NodeID", ""))

    async def service_logs(self, service: str, *, tail: int = 30) -> list[str]:
        """The last lines of a service's tasks."""
        data = await self.call(
            lambda api: b"".join(api.service_logs(service, stdout=True, stderr=True, tail=tail, follow=False))
        )
        return str(data.decode(errors="replace")).splitlines()

    async def networks(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        return await self.call(lambda api: api.networks(filters={"label": labelled(labels)}))

    async def network(self, name: str) -> dict[str, Any]:
        """Inspect a network. Raises NotFound."""
        return await self.call(lambda api: api.inspect_network(name))

    async def create_overlay(self, name: str, labels: Mapping[str, str], subnet: str = "") -> None:
        """Create an attachable overlay network."""
        pool = [docker.types.IPAMPool(subnet=subnet)] if subnet else None
        ipam = docker.types.IPAMConfig(pool_configs=pool) if pool else None
        await self.call(
            lambda api: api.create_network(
                name, driver="overlay", attachable=True, labels=dict(labels), ipam=ipam, check_duplicate=True
            )
        )

    async def remove_network(self, name: str) -> None:
        with contextlib.suppress(NotFound):
            await self.call(lambda api: api.remove_network(name))

    async def volumes(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = await self.call(lambda api: api.volumes(filters={"label": labelled(labels)}))
        return list(answer["Volumes"] or [])

    async def remove_volume(self, name: str) -> None:
        with contextlib.suppress(NotFound):
            await self.call(lambda api: api.remove_volume(name, force=True))
