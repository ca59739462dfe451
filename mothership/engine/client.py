"""The engine's face: every call Mothership makes, asynchronous, with errors in the user's words."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import docker
import docker.errors
import requests
from docker.auth import encode_header

from mothership.engine.container import ContainerSpec
from mothership.engine.follow import Line, follow, starts
from mothership.engine.stream import Stream, hijack
from mothership.errors import Conflict, EngineUnavailable, MothershipError, NotFound, TooLarge

T = TypeVar("T")
API = "1.41"
"""The API that everything here is written for; an engine that no longer speaks it is spoken to in its oldest."""
GONE = "out of sequence"
UNNAMED = "<none>:<none>"


class EngineError(MothershipError):
    """The engine answered, and its answer was no."""

    reason = "container engine error"


class Engine:
    """One container engine, by default the local one.

    Raises EngineUnavailable when it doesn't answer, NotFound and Conflict as it says, EngineError otherwise.
    """

    def __init__(self, host: str = "unix:///var/run/docker.sock") -> None:
        self.host = host
        self._socket = host.removeprefix("unix://")
        self._client: Any = None
        self._logins: dict[str, dict[str, str]] = {}

    def login(self, registry: str, user: str, password: str) -> None:
        """Have images of a registry (host:port) pushed and pulled by a password, by the engine and by Swarm's nodes."""
        self._logins[registry] = {"username": user, "password": password, "serveraddress": registry}

    def _login(self, reference: str) -> dict[str, str]:
        return self._logins.get(reference.partition("/")[0], {})

    def _api(self) -> Any:
        if self._client is None:
            client = docker.APIClient(base_url=self.host, version=API, timeout=120, max_pool_size=64)
            spoken = spoken_version(client.version(api_version=False))
            if spoken != API:
                client = docker.APIClient(base_url=self.host, version=spoken, timeout=120, max_pool_size=64)
            self._client = client
        return self._client

    async def _path(self, path: str) -> str:
        """A path of the API with its version."""
        return str(await self.call(lambda api: f"/v{api.api_version}{path}"))

    async def call(self, verb: Callable[[Any], T]) -> T:
        """Run a blocking docker-py call in a thread and translate what it raises."""
        return await asyncio.to_thread(self._guarded, verb)

    def _guarded(self, verb: Callable[[Any], T]) -> T:
        try:
            return verb(self._api())
        except docker.errors.APIError as error:
            raise _translated(error) from error
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            raise EngineUnavailable(
                f"The container engine at {self._socket} does not answer.",
                "Start it: systemctl start docker (or run scripts/up again).",
            ) from error

    # engine and swarm

    async def info(self) -> dict[str, Any]:
        return await self.call(lambda api: api.info())

    async def version(self) -> dict[str, Any]:
        return await self.call(lambda api: api.version())

    async def swarm_init(self, advertise: str) -> None:
        await self.call(lambda api: api.init_swarm(advertise_addr=advertise, listen_addr="0.0.0.0:2377"))

    async def swarm_leave(self) -> None:
        await self.call(lambda api: api.leave_swarm(force=True))

    # containers

    async def create(self, spec: ContainerSpec, name: str = "") -> str:
        """Create a container and return its id."""
        made = await self.call(lambda api: api.create_container_from_config(spec.body(), name or None))
        return str(made["Id"])

    async def start(self, container: str) -> None:
        await self.call(lambda api: api.start(container))

    async def stop(self, container: str, *, timeout: int = 10) -> None:
        await self.call(lambda api: api.stop(container, timeout=timeout))

    async def kill(self, container: str, signal: str = "KILL") -> None:
        await self.call(lambda api: api.kill(container, signal))

    async def wait(self, container: str) -> int:
        """Wait until the container ends; its exit code."""
        answer = await self.call(lambda api: api.wait(container, timeout=86400 * 30))
        return int(answer["StatusCode"])

    async def remove(self, container: str) -> None:
        """Remove a container, running or not, with its anonymous volumes; an absent one is fine."""
        with contextlib.suppress(NotFound, Conflict):
            await self.call(lambda api: api.remove_container(container, force=True, v=True))

    async def inspect(self, container: str) -> dict[str, Any]:
        return await self.call(lambda api: api.inspect_container(container))

    async def containers(self, labels: Mapping[str, str], *, stopped: bool = True) -> list[dict[str, Any]]:
        """Containers that carry every one of the labels."""
        return await self.call(lambda api: api.containers(all=stopped, filters={"label": _labels(labels)}))

    async def attach(self, container: str, *, tty: bool = False, stdin: bool = False) -> Stream:
        """Attach to a container that is about to start; nothing it prints is missed."""
        query = f"stream=1&stdout=1&stderr=1&stdin={int(stdin)}"
        path = await self._path(f"/containers/{container}/attach?{query}")
        return await hijack(self._socket, path, None, tty=tty)

    async def resize(self, container: str, *, rows: int, columns: int) -> None:
        with contextlib.suppress(MothershipError):
            await self.call(lambda api: api.resize(container, rows, columns))

    async def exec(
        self,
        container: str,
        argv: tuple[str, ...],
        *,
        env: Mapping[str, str] | None = None,
        user: str = "",
        workdir: str = "",
        stdin: bool = False,
        tty: bool = False,
    ) -> tuple[str, Stream]:
        """Start a process in a running container: its exec id (for `exec_code`) and its streams."""
        made = await self.call(
            lambda api: api.exec_create(
                container,
                list(argv),
                environment=dict(env or {}),
                user=user,
                workdir=workdir or None,
                stdin=stdin,
                tty=tty,
            )
        )
        body = {"Detach": False, "Tty": tty}
        stream = await hijack(self._socket, await self._path(f"/exec/{made['Id']}/start"), body, tty=tty)
        return str(made["Id"]), stream

    async def exec_resize(self, exec_id: str, *, rows: int, columns: int) -> None:
        with contextlib.suppress(MothershipError):
            await self.call(lambda api: api.exec_resize(exec_id, rows, columns))

    async def exec_code(self, exec_id: str) -> int:
        """The exit code of an exec whose output has ended."""
        while True:
            state = await self.call(lambda api: api.exec_inspect(exec_id))
            if not state["Running"]:
                return int(state["ExitCode"])
            await asyncio.sleep(0.005)

    @contextlib.asynccontextmanager
    async def container(self, spec: ContainerSpec, name: str = "") -> AsyncIterator[str]:
        """A created (not started) container that is gone afterwards, whatever happens, cancellation included."""
        creating = asyncio.ensure_future(self.create(spec, name))
        try:
            container = await asyncio.shield(creating)
        except asyncio.CancelledError:
            with contextlib.suppress(MothershipError):
                await self.remove(await creating)
            raise
        try:
            yield container
        finally:
            await asyncio.shield(asyncio.ensure_future(self.remove(container)))

    async def logs(self, container: str, *, tail: int = 30) -> list[str]:
        """The last lines a container printed."""
        data = await self.call(lambda api: api.logs(container, tail=tail))
        return str(data.decode(errors="replace")).splitlines()

    async def follow(self, container: str, *, since: str = "0", wait: bool = True) -> AsyncGenerator[Line, None]:
        """Yield the container's lines as it prints, until it ends; without `wait`, those of before."""
        path = await self._path(f"/containers/{container}/logs")
        async with contextlib.aclosing(follow(self._socket, path, since=since, wait=wait)) as lines:
            async for line in lines:
                yield line

    async def starts(self, labels: Mapping[str, str]) -> AsyncIterator[tuple[str, dict[str, str]]]:
        """Yield (container, its labels) as containers that carry every one of the labels start."""
        async for started in starts(self._socket, await self._path("/events"), _labels(labels)):
            yield started

    # images

    async def image(self, name: str) -> dict[str, Any]:
        """Inspect an image. Raises NotFound."""
        return await self.call(lambda api: api.inspect_image(name))

    async def has_image(self, name: str) -> bool:
        try:
            await self.image(name)
        except NotFound:
            return False
        return True

    async def images(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """Images with all these labels. Their RepoTags are names alone, none for an image whose name has moved on."""
        found = await self.call(lambda api: api.images(filters={"label": _labels(labels)}))
        return [{**image, "RepoTags": [tag for tag in image["RepoTags"] or [] if tag != UNNAMED]} for image in found]

    async def import_image(self, tar: Path, repository: str, tag: str, changes: tuple[str, ...] = ()) -> None:
        """Make an image of one layer from a tar of a root file system."""
        await self.call(
            lambda api: api.import_image_from_file(str(tar), repository=repository, tag=tag, changes=list(changes))
        )

    async def tag(self, image: str, repository: str, tag: str) -> None:
        await self.call(lambda api: api.tag(image, repository, tag))

    async def push(self, repository: str, tag: str) -> None:
        """Push an image to a registry. Raises EngineError with the registry's words."""

        def verb(api: Any) -> None:
            for event in api.push(repository, tag=tag, stream=True, decode=True, auth_config=self._login(repository)):
                if "error" in event:
                    raise EngineError(f"Pushing {repository}:{tag} failed: {event['error']}")

        await self.call(verb)

    async def pull(self, reference: str, login: Mapping[str, str] | None = None, *, most: int = 0) -> None:
        """Pull an image by name, tag or digest, with a registry's login if need be.

        `most` are the bytes that may be moved, 0 for any number. Raises NotFound, TooLarge, EngineError.
        """

        def verb(api: Any) -> None:
            login_ = dict(login or self._login(reference))
            sizes: dict[str, int] = {}
            with contextlib.closing(api.pull(reference, stream=True, decode=True, auth_config=login_)) as events:
                for event in events:
                    if "error" in event:
                        raise EngineError(str(event["error"]))
                    if event.get("status") == "Downloading":
                        sizes[str(event.get("id"))] = int(event["progressDetail"].get("total") or 0)
                    if most and sum(sizes.values()) > most:
                        raise TooLarge(f"{reference} has more than {most} bytes to move.")

        await self.call(verb)

    async def remote_digest(self, reference: str, login: Mapping[str, str] | None = None) -> str:
        """The digest that a registry has for an image's name. Raises EngineError, NotFound."""
        answer = await self.call(lambda api: api.inspect_distribution(reference, auth_config=dict(login or {})))
        return str(answer["Descriptor"]["digest"])

    async def remove_image(self, image: str, *, force: bool = False) -> None:
        with contextlib.suppress(NotFound, Conflict):
            await self.call(lambda api: api.remove_image(image, force=force))

    # networks and volumes

    async def networks(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        return await self.call(lambda api: api.networks(filters={"label": _labels(labels)}))

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
        answer = await self.call(lambda api: api.volumes(filters={"label": _labels(labels)}))
        return list(answer["Volumes"] or [])

    async def remove_volume(self, name: str) -> None:
        with contextlib.suppress(NotFound):
            await self.call(lambda api: api.remove_volume(name, force=True))

    # services and tasks

    async def create_service(self, spec: Mapping[str, Any]) -> str:
        """Create a service from the JSON of `POST /services/create`; its id."""
        login = self._login(str(spec["TaskTemplate"]["ContainerSpec"]["Image"]))
        headers = {"X-Registry-Auth": encode_header(login)} if login else {}
        url = "/services/create"
        made = await self.call(lambda api: api._result(api._post_json(api._url(url), data=spec, headers=headers), True))
        return str(made["ID"])

    async def services(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        return await self.call(lambda api: api.services(filters={"label": _labels(labels)}))

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
            filters["label"] = _labels(labels)
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


def spoken_version(answer: Mapping[str, Any]) -> str:
    """The API version to speak with an engine that answered `GET /version` so."""
    oldest = str(answer.get("MinAPIVersion") or API)
    return max(API, oldest, key=lambda version: [int(part) for part in version.split(".")])


def _labels(labels: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" if value else key for key, value in labels.items()]


def _translated(error: Any) -> MothershipError:
    text = str(error.explanation or error)
    if isinstance(error, docker.errors.NotFound):
        return NotFound(text)
    if getattr(error, "status_code", 0) == 409:
        return Conflict(text)
    return EngineError(f"The container engine refused: {text}")
