"""Buildpacks in a builder container: non-root, limited, on a network of its own."""

import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from builder import private
from builder.certificates import BUNDLE, CA_VARIABLES
from builder.choose import Choice, nothing_detected
from builder.desk import OWNER, Desk, desk
from builder.disk import disk_full, is_full
from builder.fetch import Fetcher
from builder.limits import out_of_memory, time_limit
from builder.mirrors import mirrors
from builder.quota import write_limit
from builder.reads import EVERYTHING, together
from builder.release import read_release
from builder.service import network_name
from builder.source import Source
from builder.stack import ensure_extended, extras, known, tag
from mothership.config import Settings
from mothership.engine import Bind, ContainerSpec, Engine
from mothership.errors import BuildFailed
from mothership.output import Output

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Compiled:
    """What the buildpacks said about the app they built, and the extras of the stack that it needs."""

    processes: Mapping[str, str]
    config: Mapping[str, str]
    used: str
    extras: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    """What the build read of the commit (builder.reads)."""


class Buildpacks:
    """Runs the chosen buildpacks over an app's workspace."""

    def __init__(self, settings: Settings, engine: Engine, fetcher: Fetcher) -> None:
        self._settings = settings
        self._engine = engine
        self._fetcher = fetcher
        self._mirrors = mirrors(settings.mirrors)

    async def compile(
        self, source: Source, choice: Choice, workspace: Path, out: Output, had: tuple[str, ...] = ()
    ) -> Compiled:
        """Detect and compile in one container. Raises BuildFailed; nothing runs any more when this returns.

        `had` are the extras of the last build: this one starts in a stack that has them, and starts over in one that
        has more when the buildpacks ask for it.
        """
        self._make_cache(source)
        had = tuple(name for name in had if name in known())
        incoming = self._settings.data / "builds" / ".running" / source.build_id / "buildpack"
        async with private.fetched(self._fetcher, source, choice, incoming, out) as choice:
            return await self._compile(source, choice, workspace, out, had)

    async def _compile(
        self, source: Source, choice: Choice, workspace: Path, out: Output, had: tuple[str, ...]
    ) -> Compiled:
        with desk(self._settings, source, choice, self._mirrors) as place:
            while True:
                await ensure_extended(self._settings, self._engine, had, out)
                async with self._engine.container(self._spec(source, choice, workspace, place, had)) as container:
                    code = await self._run(container, workspace, self.cache(source.app), out)
                    if code:
                        await self._explain(source, container, place, workspace, code)
                wants = extras(place.said("extras").split())
                if not place.said("wants"):
                    return replace(_said(place), extras=wants)
                had = wants
                place.clear()

    async def _run(self, container: str, workspace: Path, cache: Path, out: Output) -> int:
        stream = await self._engine.attach(container, stdin=True)
        written = await self._written(container)
        try:
            async with (
                time_limit(self._settings.build_time),
                write_limit(self._settings.build_disk, lambda: (workspace, cache, *written)),
            ):
                await self._engine.start(container)
                async for line in stream.lines():
                    out.raw(line)
                return await self._engine.wait(container)
        finally:
            stream.close()

    async def _written(self, container: str) -> tuple[Path, ...]:
        """Where the engine keeps what a container writes outside of its mounts."""
        data = (await self._engine.inspect(container)).get("GraphDriver", {}).get("Data") or {}
        return tuple(Path(data[name]) for name in ("UpperDir",) if data.get(name))

    async def _explain(self, source: Source, container: str, place: Desk, workspace: Path, code: int) -> None:
        """Raise the BuildFailed that says why."""
        step, _, status = place.said("failed").strip().rpartition(" ")
        if step == "detection":
            raise nothing_detected(source.app, workspace)
        if is_full(workspace):
            raise disk_full(workspace)
        state = (await self._engine.inspect(container))["State"]
        if state.get("OOMKilled") or code == 137:
            raise out_of_memory(source, self._settings)
        if step.startswith(("fetching", "opening")):
            raise BuildFailed(f"Buildpack: {step} failed.", "See which buildpacks the app has: mothership buildpacks")
        what = f"Buildpack {step} {_ended(status)}" if step else f"The build ended with exit code {code}"
        raise BuildFailed(f"{what}.", "Its own output above says why.")

    def cache(self, app: str) -> Path:
        return self._settings.data / "cache" / app

    def _make_cache(self, source: Source) -> None:
        cache = self.cache(source.app)
        if source.no_cache:
            shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir(parents=True, exist_ok=True)
        os.chown(cache, OWNER, OWNER)

    def _spec(
        self, source: Source, choice: Choice, workspace: Path, place: Desk, had: tuple[str, ...]
    ) -> ContainerSpec:
        binds = [*place.binds(workspace, self.cache(source.app)), *self._mirrors.binds]
        if self._settings.ca_bundle:
            binds.append(Bind(self._settings.ca_bundle, BUNDLE, read_only=True))
        return ContainerSpec(
            image=f"mothership/stack-build:{tag(self._settings.stack, had)}",
            entrypoint=("bash", "/runner/run.sh"),
            command=("auto" if choice.detect else "all",),
            env=self._environment(source, had),
            labels={
                "mothership.instance": self._settings.instance,
                "mothership.role": "build",
                "mothership.app": source.app,
            },
            user=f"{OWNER}:{OWNER}",
            workdir="/app",
            network=f"container:{network_name(self._settings)}",
            binds=tuple(binds),
            memory=self._settings.build_memory,
            cpu=self._settings.build_cpu,
            pids=self._settings.build_pids,
            cap_drop=("ALL",),
            stdin=True,
            stop_timeout=1,
        )

    def _environment(self, source: Source, had: tuple[str, ...]) -> dict[str, str]:
        certificates = dict.fromkeys(CA_VARIABLES, BUNDLE) if self._settings.ca_bundle else {}
        shims = {"PATH": f"/runner/shims:{PATH}"} if self._settings.mirrors else {}
        maven = {"MAVEN_ARGS": "-gs /mothership/settings.xml"} if "settings.xml" in self._mirrors.files else {}
        return {
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            **self._settings.build_env,
            **certificates,
            **self._mirrors.environment,
            **shims,
            **maven,
            "MOTHERSHIP_EXTRAS": " ".join(had),
            "STACK": self._settings.stack,
            "SOURCE_VERSION": source.known,
            "REQUEST_ID": source.build_id,
        }


def _said(place: Desk) -> Compiled:
    """Config vars of all buildpacks; process types of the last one, which is the app's own language (Heroku)."""
    processes: Mapping[str, str] = {}
    config: dict[str, str] = {}
    for path in sorted(place.out.glob("release.*"), key=lambda path: int(path.suffix[1:])):
        info = read_release(place.said(path.name))
        processes = info.processes or processes
        config |= info.config
    used = place.said("used")
    said = [place.said(path.name) for path in place.out.glob("reads.*")]
    complete = len(said) == len(used.split())
    return Compiled(processes, config, used, reads=together(said) if complete else (EVERYTHING,))


def _ended(status: str) -> str:
    """How a program ended, by the status that a shell gives it: 128 and more is a signal."""
    if status.isdigit() and int(status) > 128:
        try:
            return f"was ended by {signal.Signals(int(status) - 128).name}"
        except ValueError:
            pass
    return f"failed with exit code {status}"
