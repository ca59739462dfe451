"""Cloud Native Buildpacks: the lifecycle of a builder image makes the image of the app (buildpacks.io, Platform API).

It runs as `creator` in one container, on the builds' network, which does not lead to our registry: the run image lies
in a folder, without its layers, and the new image is exported into that folder. We put what is new of it into the
registry.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder import cnb_project
from builder.certificates import BUNDLE, CA_VARIABLES
from builder.cnb_builder import BuilderImage, described
from builder.cnb_layout import Exported, prune, read_exported, write_sparse
from builder.cnb_project import Project
from builder.commit import Root
from builder.desk import HIDDEN
from builder.disk import disk_full, is_full
from builder.image import Base, Images, Stored
from builder.limits import out_of_memory, time_limit
from builder.mirrors import mirrors
from builder.procfile import described as listed
from builder.quota import write_limit
from builder.registry import Blob, Registry
from builder.service import network_name
from builder.source import Source
from builder.thread import in_thread
from builder.tree import read_tree
from builder.workspace import Workspace
from mothership.config import Settings
from mothership.engine import Bind, ContainerSpec, Engine, EngineError
from mothership.errors import BuildFailed, NotFound
from mothership.model import PROCESS_NAME, Image
from mothership.output import Output

ENTRYPOINT = ["/mothership/launcher"]
CREATOR = "/cnb/lifecycle/creator"
PROCESS = "/cnb/process/"
METADATA = "io.buildpacks.build.metadata"
RUN, APP = "mothership/run", "mothership/app"
LIBRARY = "index.docker.io"
"""Where the lifecycle looks in a layout for names without a registry."""

NOT_DETECTED = (20, 21, 22)
PHASE = re.compile(r"===> ([A-Z]+)\s*")


def chosen(source: Source, root: Root) -> Project | None:
    """The project as it is built by a builder image, None when it isn't. Raises Invalid.

    The app's setting decides, then project.toml, unless the app has buildpacks of its own.
    """
    said = root.files.get(cnb_project.NAME)
    project = cnb_project.parse(said) if said is not None else Project()
    if source.builder:
        return replace(project, builder=cnb_project.reference(source.builder))
    return project if project.builder and not source.buildpacks else None


class Cnb:
    """Builds apps with builder images."""

    def __init__(self, settings: Settings, engine: Engine, registry: Registry, images: Images) -> None:
        self._settings = settings
        self._engine = engine
        self._registry = registry
        self._images = images
        self._mirrors = mirrors(settings.mirrors)

    async def build(self, source: Source, project: Project, out: Output) -> Image:
        """Build a commit. Raises BuildFailed; nothing runs any more when this returns."""
        out.step(f"Cloud Native Buildpacks: {project.builder}")
        builder = described(project.builder, await self._pulled(project.builder, source, out))
        place = self._settings.data / "workspaces" / source.app / "cnb"
        run = await self._run_image(source, builder, place, out)
        await in_thread(_prepare, place, source, builder, run)
        with self._platform(source, builder, project) as platform:
            await self._create(source, builder, place, platform, out)
        folder = _layout(place, APP)
        exported = await in_thread(read_exported, folder)
        processes = _processes(exported)
        out.step("Discovering process types")
        out.detail(f"The buildpacks declare types -> {listed(processes)}")
        stored = await self._put(source, exported)
        await in_thread(prune, folder, exported)
        out.step(f"Image ready: {stored.size / 1e6:.0f} MB, {stored.moved / 1e6:.1f} MB new")
        return Image(
            repository=source.app,
            digest=stored.digest,
            kind="cnb",
            processes=processes,
            size=stored.size,
            build_id=source.build_id,
        )

    async def _pulled(self, name: str, source: Source, out: Output) -> dict[str, Any]:
        """An image as the engine knows it, fetched when it isn't there, or from scratch. Raises BuildFailed."""
        if name.partition("/")[0].endswith(f":{self._settings.registry_port}"):
            raise BuildFailed(
                f"{name} is in this server's own registry, where the apps' images are.", "Choose another."
            )
        known = await self._engine.has_image(name)
        if not known or source.no_cache:
            out.detail(f"Pulling {name}")
            try:
                await self._engine.pull(name)
            except (NotFound, EngineError) as error:
                if not known:
                    raise BuildFailed(
                        f"The image {name} can't be pulled: {error.message}",
                        "Is its name right, and can the server reach its registry?",
                        reason="image can't be pulled",
                    ) from error
        return await self._engine.image(name)

    async def _run_image(self, source: Source, builder: BuilderImage, place: Path, out: Output) -> Base:
        """The run image in the app's repository, pushed there unless it is there since an earlier build."""
        id = str((await self._pulled(builder.run_image, source, out))["Id"])
        note = place / "run.json"
        with contextlib.suppress(OSError, ValueError, KeyError):
            known = json.loads(note.read_text())
            manifest = known["manifest"]
            if known["id"] == id and await self._registry.has(source.app, manifest["config"]["digest"]):
                return Base(source.app, manifest, await self._config(source, manifest))
        manifest = await self._images.pushed(builder.run_image, source.app, "cnb-run")
        place.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"id": id, "manifest": manifest}))
        return Base(source.app, manifest, await self._config(source, manifest))

    async def _config(self, source: Source, manifest: Mapping[str, Any]) -> dict[str, Any]:
        return await self._registry.get_json(source.app, manifest["config"]["digest"])

    @contextlib.contextmanager
    def _platform(self, source: Source, builder: BuilderImage, project: Project) -> Iterator[Path]:
        """The folder that tells buildpacks the environment, gone when the build has ended."""
        root = self._settings.data / "builds" / ".running" / source.build_id
        certificates = dict.fromkeys(CA_VARIABLES, BUNDLE) if self._settings.ca_bundle else {}
        given = {**self._settings.build_env, **certificates, **self._mirrors.environment, **project.env}
        try:
            (root / "env").mkdir(parents=True)
            for name, value in {**given, **dict(source.config)}.items():
                if not HIDDEN.fullmatch(name):
                    (root / "env" / name).write_text(value)
            if order := project.order(builder.version):
                (root / "order.toml").write_text(order)
            _give(root, builder)
            yield root
        finally:
            shutil.rmtree(root, ignore_errors=True)

    async def _create(self, source: Source, builder: BuilderImage, place: Path, platform: Path, out: Output) -> None:
        async with self._engine.container(self._spec(source, builder, place, platform)) as container:
            stream = await self._engine.attach(container)
            try:
                async with (
                    time_limit(self._settings.build_time),
                    write_limit(self._settings.build_disk, lambda: (place,)),
                ):
                    await self._engine.start(container)
                    async for line in stream.lines():
                        _show(line, out)
                    code = await self._engine.wait(container)
            finally:
                stream.close()
            if code:
                killed = (await self._engine.inspect(container))["State"].get("OOMKilled") or code == 137
                raise self._failure(source, builder, place, code, killed=killed)

    def _spec(self, source: Source, builder: BuilderImage, place: Path, platform: Path) -> ContainerSpec:
        binds = [
            Bind(str(place / "app"), "/workspace"),
            Bind(str(place / "layers"), "/layers"),
            Bind(str(place / "cache"), "/cache"),
            Bind(str(place / "layout"), "/layout"),
            Bind(str(platform), "/platform", read_only=True),
            *self._mirrors.binds,
        ]
        if self._settings.ca_bundle:
            binds.append(Bind(self._settings.ca_bundle, BUNDLE, read_only=True))
        order = ("-order", "/platform/order.toml") if (platform / "order.toml").exists() else ()
        flags = ("-app", "/workspace", "-layers", "/layers", "-cache-dir", "/cache", "-platform", "/platform")
        return ContainerSpec(
            image=builder.name,
            entrypoint=(CREATOR,),
            command=(*flags, *order, "-layout-dir", "/layout", "-run-image", RUN, APP),
            env={
                **{name: value for name, value in self._settings.build_env.items() if name.upper().endswith("_PROXY")},
                "CNB_PLATFORM_API": builder.api,
                "CNB_EXPERIMENTAL_MODE": "quiet",
                "CNB_USE_LAYOUT": "true",
                "CNB_NO_COLOR": "true",
                "HOME": "/tmp",
            },
            labels={
                "mothership.instance": self._settings.instance,
                "mothership.role": "build",
                "mothership.app": source.app,
            },
            user=f"{builder.uid}:{builder.gid}",
            network=f"container:{network_name(self._settings)}",
            binds=tuple(binds),
            memory=self._settings.build_memory,
            cpu=self._settings.build_cpu,
            pids=self._settings.build_pids,
            cap_drop=("ALL",),
            stop_timeout=1,
        )

    def _failure(self, source: Source, builder: BuilderImage, place: Path, code: int, *, killed: bool) -> BuildFailed:
        if is_full(place):
            return disk_full(place)
        if killed:
            return out_of_memory(source, self._settings)
        if code in NOT_DETECTED:
            return BuildFailed(
                f"No buildpack of {builder.name} knows what {source.app} is.",
                "Their own words are above. Another builder: mothership builder cnb IMAGE, or none: builder auto",
                reason="no buildpack detected",
            )
        return BuildFailed(f"The builder's lifecycle ended with exit code {code}.", "Its own output above says why.")

    async def _put(self, source: Source, exported: Exported) -> Stored:
        """Put the exported image into the registry; its layers first, where they are new."""
        moved = 0
        for layer in exported.manifest["layers"]:
            digest = str(layer["digest"])
            if await self._registry.has(source.app, digest):
                continue
            path = exported.blobs.get(digest)
            if path is None:
                raise BuildFailed(f"The builder's lifecycle left no layer {digest}.", "Push again, or --no-cache.")
            size = path.stat().st_size
            await self._registry.put_file(source.app, Blob(digest, size), path)
            moved += size
        base = Base(source.app, exported.manifest, exported.config)
        labels = {**(exported.config["config"].get("Labels") or {}), "mothership.app": source.app}
        changes = {"Entrypoint": ENTRYPOINT, "Cmd": None, "Labels": labels}
        stored = await self._images.put(source.app, source.build_id.lower() or "latest", base, [], changes)
        return replace(stored, moved=stored.moved + moved)


def _prepare(place: Path, source: Source, builder: BuilderImage, run: Base) -> None:
    """Lay out what a build works with: the commit's tree alone, no layers, and what earlier builds cached."""
    if source.no_cache:
        for name in ("cache", "layout"):
            shutil.rmtree(place / name, ignore_errors=True)
    shutil.rmtree(place / "layers", ignore_errors=True)
    Workspace(place).sync(replace(source, no_cache=True), read_tree(source))
    write_sparse(_layout(place, RUN), run.manifest, run.config)
    for name in ("app", "layers", "cache", "layout"):
        (place / name).mkdir(parents=True, exist_ok=True)
        _give(place / name, builder)


def _layout(place: Path, name: str) -> Path:
    return place / "layout" / LIBRARY / name / "latest"


def _give(root: Path, builder: BuilderImage) -> None:
    """Make everything below a folder the builder's own; links themselves, and nothing they lead to."""
    for folder, folders, names in os.walk(root):
        for path in (folder, *(f"{folder}/{name}" for name in (*folders, *names))):
            os.chown(path, builder.uid, builder.gid, follow_symlinks=False)


def _processes(exported: Exported) -> dict[str, str]:
    """Process types and how they are started; the default one is web when none is called so. Raises BuildFailed."""
    try:
        said = json.loads((exported.config["config"].get("Labels") or {})[METADATA])
        types = [str(process["type"]) for process in said.get("processes") or []]
        default = str(said.get("buildpack-default-process-type") or "")
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise BuildFailed(f"The image's label {METADATA} can't be read.", "Is the builder a current one?") from error
    found = {name: PROCESS + name for name in types if PROCESS_NAME.fullmatch(name)}
    if "web" not in found and default in types:
        found["web"] = PROCESS + default
    return found


def _show(line: str, out: Output) -> None:
    """The lifecycle's lines in Heroku's shapes."""
    if match := PHASE.fullmatch(line):
        out.step(match[1].capitalize())
    elif line.startswith("ERROR: "):
        out.error(line.removeprefix("ERROR: "))
    else:
        out.detail(line)
