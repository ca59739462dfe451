"""A build, from a commit to an image in the registry."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from builder import appjson, cnb
from builder.buildpack import PATH, Buildpacks
from builder.choose import Choice, choose
from builder.commit import Root, read_root
from builder.compiler import Compiler
from builder.credential import credential
from builder.declaration import Declaration
from builder.declared import declared, remarks, usable
from builder.disk import full_disk_explained
from builder.dockerfile import Dockerfiles, command, exposed
from builder.fetch import Fetcher
from builder.foreign import ForeignImages, Reference
from builder.image import Base, Images, Stored
from builder.layers import Cut, Layers
from builder.procfile import described
from builder.registry import Registry
from builder.service import answering, network_name, network_spec, registry_name, registry_spec, write_config
from builder.shelf import Shelf
from builder.source import Source
from builder.stack.plan import EXTRAS_LABEL
from builder.thread import in_thread
from mothership.config import Settings
from mothership.engine import Engine, ensure
from mothership.errors import NotFound
from mothership.model import PROCESS_NAME, Image
from mothership.output import Output

ENTRYPOINT = ["/mothership/launcher"]


class Builder:
    """Builds commits. The registry and the builds' network namespace are its own containers."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._registry = Registry(settings.registry)
        self._images = Images(settings, engine, self._registry)
        self.fetcher = Fetcher(settings, engine)
        self._compiler = Compiler(settings, engine, Buildpacks(settings, engine, self.fetcher))
        self._dockerfiles = Dockerfiles(settings)
        self._cnb = cnb.Cnb(settings, engine, self._registry, self._images)
        self._foreign = ForeignImages(settings, engine)
        self.shelf = Shelf(settings, engine, self._registry, self._images)

    async def start(self) -> None:
        """Make the registry and the network namespace run, and put away what dead builds left."""
        known = credential(self._settings.data)
        self._registry.login(known)
        self._engine.login(self._settings.registry, known.user, known.password)
        mine = {"mothership.instance": self._settings.instance, "mothership.role": "build"}
        for container in await self._engine.containers(mine):
            await self._engine.remove(container["Id"])
        shutil.rmtree(self._settings.data / "builds" / ".running", ignore_errors=True)
        await self.ensure()
        await answering(self._settings.registry)

    async def ensure(self) -> None:
        """Restore the builder's containers where they are missing or stopped."""
        write_config(self._settings)
        await ensure(self._engine, registry_name(self._settings), registry_spec(self._settings))
        await ensure(self._engine, network_name(self._settings), network_spec(self._settings))

    async def build(self, source: Source, out: Output) -> Image:
        """Build a commit. Raises BuildFailed, Invalid, RegistryUnavailable, EngineUnavailable.

        A cancellation ends the build's container within two seconds and leaves nothing behind.
        """
        root = await in_thread(read_root, source)
        said = appjson.parse(root.files[appjson.NAME]) if appjson.NAME in root.files else appjson.AppJson()
        project = cnb.chosen(source, root)
        choice = Choice() if project else choose(source, root, self._settings.buildpacks)
        runs = declared(root, image=bool(project or choice.dockerfile))
        where = f"{source.folder} of " if source.folder else ""
        out.step(f"Building {where}{source.known[:7]} on the {self._settings.stack} stack")
        if project:
            image = await self._cnb.build(source, project, out)
        else:
            by = self._by_dockerfile if choice.dockerfile else self._by_buildpacks
            image = await by(source, root, choice, runs, out)
        return replace(image, checks=said.checks, scripts=said.scripts, stack=self._settings.stack)

    async def adopt(
        self, source: Source, name: Reference, login: Mapping[str, str], processes: Mapping[str, str], out: Output
    ) -> Image:
        """Take an image that was built elsewhere for an app's. Raises Refused, BuildFailed and what `build` raises."""
        tag = f"mothership-build/{source.app}:{source.build_id.lower()}"
        async with self._foreign.pulled(name, tag, login, out) as found:
            _announce(processes or {"web": ""}, processes, "The deploy", out)
            manifest = await self._images.pushed(tag, source.app, "built")
        return await self._launched(source, found["Config"] or {}, manifest, processes or {"web": ""}, out)

    async def answering(self) -> None:
        """Raises RegistryUnavailable when the registry doesn't answer within two seconds."""
        await answering(self._settings.registry, seconds=2)

    async def _by_buildpacks(self, source: Source, root: Root, choice: Choice, runs: Declaration, out: Output) -> Image:
        place = self._settings.data / "workspaces" / source.app
        layers = Layers(place, self._settings.build_disk << 20)
        source = replace(source, config={**runs.config, **source.config})
        choice = replace(choice, declares=tuple(runs.processes))
        with full_disk_explained(self._settings.data):
            place.mkdir(parents=True, exist_ok=True)
            said = await self._compiler.compiled(source, root, choice, place, out)
            defaults = _valid(said.processes)
            taken = usable(runs, defaults, place / "app")
            processes = {**defaults, **taken}
            _announce(processes, taken, runs.file, out)
            for line in remarks(runs, taken, source.config, source.app):
                out.detail(line)
            base = await self._images.stack(said.extras)
            config = _buildpack_config(source, base, {**said.config, **runs.config}, said.extras)
            cuts = await in_thread(layers.cut, root.time)
            try:
                stored = await self._put(source, base, cuts, config)
            except NotFound:
                layers.forget()
                cuts = await in_thread(layers.cut, root.time)
                stored = await self._put(source, base, cuts, config)
            layers.keep(cuts)
        _ready(stored, out)
        return Image(
            repository=source.app,
            digest=stored.digest,
            kind="buildpack",
            processes=processes,
            size=stored.size,
            build_id=source.build_id,
        )

    async def _by_dockerfile(self, source: Source, root: Root, choice: Choice, runs: Declaration, out: Output) -> Image:
        tag = f"mothership-build/{source.app}:{source.build_id}"
        assert choice.dockerfile
        await self._dockerfiles.build(source, choice.dockerfile, tag, out)
        try:
            config = (await self._engine.image(tag))["Config"]
            processes = dict(runs.processes) or {"web": ""}
            _announce(processes, runs.processes, runs.file, out)
            manifest = await self._images.pushed(tag, source.app, "built")
        finally:
            await asyncio.shield(self._engine.remove_image(tag))
        return await self._launched(source, config, manifest, processes, out)

    async def _launched(
        self,
        source: Source,
        config: Mapping[str, Any],
        manifest: dict[str, Any],
        processes: Mapping[str, str],
        out: Output,
    ) -> Image:
        """An image of the registry with our launcher on it."""
        base = Base(source.app, manifest, await self._registry.get_json(source.app, manifest["config"]["digest"]))
        stored = await self._put(source, base, [], {"Entrypoint": ENTRYPOINT, "Cmd": None, "Labels": _labels(source)})
        _ready(stored, out)
        return Image(
            repository=source.app,
            digest=stored.digest,
            kind="dockerfile",
            processes=processes,
            port=exposed(config),
            size=stored.size,
            entrypoint=command(config),
            build_id=source.build_id,
        )

    async def _put(self, source: Source, base: Base, cuts: list[Cut], changes: Mapping[str, Any]) -> Stored:
        return await self._images.put(source.app, source.build_id.lower() or "latest", base, cuts, changes)


def _buildpack_config(source: Source, base: Base, config: Mapping[str, str], extras: tuple[str, ...]) -> dict[str, Any]:
    given = dict(pair.split("=", 1) for pair in base.config["config"].get("Env") or [])
    values = {"PATH": PATH, **given, "HOME": "/app", **config}
    return {
        "Entrypoint": ENTRYPOINT,
        "Cmd": None,
        "User": "1000:1000",
        "WorkingDir": "/app",
        "Env": [f"{key}={value}" for key, value in values.items()],
        "Labels": {**_labels(source), EXTRAS_LABEL: " ".join(extras)},
    }


def _labels(source: Source) -> dict[str, str]:
    return {"mothership.app": source.app}


def _valid(processes: Mapping[str, str]) -> dict[str, str]:
    """The default process types whose names can be services."""
    return {name: line for name, line in processes.items() if PROCESS_NAME.fullmatch(name) and line}


def _announce(processes: Mapping[str, str], procfile: Mapping[str, str], place: str, out: Output) -> None:
    out.step("Discovering process types")
    if procfile:
        out.detail(f"{place} declares types -> {described(procfile)}")
    defaults = {name: line for name, line in processes.items() if name not in procfile}
    if defaults or not procfile:
        out.detail(f"Default types -> {described(defaults)}")


def _ready(stored: Stored, out: Output) -> None:
    out.step(f"Image ready: {_size(stored.size)}, {_size(stored.moved)} new")


def _size(count: int) -> str:
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1_000_000:.0f} MB"
