"""Buildpacks in a builder container: non-root, limited, on a network of its own."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.choose import Choice, nothing_detected
from builder.disk import disk_full, is_full
from builder.limits import out_of_memory, time_limit
from builder.release import ReleaseInfo, read_release
from builder.service import network_name
from builder.source import Source
from mothership.config import Settings
from mothership.engine import Bind, ContainerSpec, Engine
from mothership.errors import BuildFailed
from mothership.output import Output

HERE = Path(__file__).parent
OWNER = 1000
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CA_VARIABLES = (
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "npm_config_cafile",
    "CARGO_HTTP_CAINFO",
)
HIDDEN = re.compile(
    r"PATH|GIT_DIR|CPATH|CPPATH|LD_PRELOAD|LIBRARY_PATH|LD_LIBRARY_PATH|PYTHONHOME|NODE_PATH|IFS|JAVA_OPTS"
)
"""Config vars that would break a build; they reach the app only (Heroku, "Buildpack API")."""


@dataclass(frozen=True)
class Compiled:
    """What the buildpacks said about the app they built."""

    processes: dict[str, str]
    config: dict[str, str]
    used: str


class Buildpacks:
    """Runs the chosen buildpacks over an app's workspace."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    async def compile(self, source: Source, choice: Choice, workspace: Path, out: Output) -> Compiled:
        """Detect and compile in one container. Raises BuildFailed; nothing runs any more when this returns."""
        with self._desk(source, choice) as desk:
            spec = self._spec(source, choice, workspace, desk)
            async with self._engine.container(spec) as container:
                code = await self._run(container, out)
                if code:
                    await self._explain(source, container, desk, workspace, code)
            return _said(desk / "out")

    async def _run(self, container: str, out: Output) -> int:
        stream = await self._engine.attach(container, stdin=True)
        try:
            async with time_limit(self._settings.build_time):
                await self._engine.start(container)
                async for line in stream.lines():
                    out.raw(line)
                return await self._engine.wait(container)
        finally:
            stream.close()

    async def _explain(self, source: Source, container: str, desk: Path, workspace: Path, code: int) -> None:
        """Raise the BuildFailed that says why."""
        step, _, status = _read(desk / "out" / "failed").strip().rpartition(" ")
        if step == "detection":
            raise nothing_detected(source.app)
        if is_full(workspace):
            raise disk_full(workspace)
        state = (await self._engine.inspect(container))["State"]
        if state.get("OOMKilled") or code == 137:
            raise out_of_memory(source, self._settings)
        what = f"Buildpack {step} failed with exit code {status}" if step else f"The build ended with exit code {code}"
        raise BuildFailed(f"{what}.", "Its own output above says why.")

    @contextlib.contextmanager
    def _desk(self, source: Source, choice: Choice) -> Iterator[Path]:
        """A folder for one build: fresh copies of the buildpacks, the config vars as files, and what is said back."""
        desk = self._settings.data / "builds" / ".running" / source.build_id
        try:
            for name in ("env", "out", "buildpack"):
                (desk / name).mkdir(parents=True, exist_ok=True)
            for name in choice.buildpacks:
                if "://" not in name and "@" not in name:
                    shutil.copytree(HERE / "buildpacks" / name, desk / "buildpack" / name)
            shutil.copy(HERE / "runner.sh", desk / "runner.sh")
            for key, value in source.config.items():
                if not HIDDEN.fullmatch(key):
                    (desk / "env" / key).write_text(value)
            cache = self.cache(source.app)
            if source.no_cache:
                shutil.rmtree(cache, ignore_errors=True)
            cache.mkdir(parents=True, exist_ok=True)
            os.chown(cache, OWNER, OWNER)
            _give(desk)
            yield desk
        finally:
            shutil.rmtree(desk, ignore_errors=True)

    def cache(self, app: str) -> Path:
        return self._settings.data / "cache" / app

    def _spec(self, source: Source, choice: Choice, workspace: Path, desk: Path) -> ContainerSpec:
        names = tuple(n if "://" in n or "@" in n else f"/buildpack/{n}" for n in choice.buildpacks)
        binds = [
            Bind(str(workspace), "/app"),
            Bind(str(self.cache(source.app)), "/cache"),
            Bind(str(desk / "env"), "/env", read_only=True),
            Bind(str(desk / "out"), "/out"),
            Bind(str(desk / "buildpack"), "/buildpack"),
            Bind(str(desk / "runner.sh"), "/runner.sh", read_only=True),
        ]
        if self._settings.ca_bundle:
            binds.append(Bind(self._settings.ca_bundle, BUNDLE, read_only=True))
        return ContainerSpec(
            image=f"mothership/stack-build:{self._settings.stack}",
            entrypoint=("bash", "/runner.sh"),
            command=("auto" if choice.detect else "all", *names),
            env=self._environment(source),
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

    def _environment(self, source: Source) -> dict[str, str]:
        certificates = dict.fromkeys(CA_VARIABLES, BUNDLE) if self._settings.ca_bundle else {}
        return {
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            **self._settings.build_env,
            **certificates,
            "STACK": self._settings.stack,
            "SOURCE_VERSION": source.commit,
            "REQUEST_ID": source.build_id,
        }


def _said(out: Path) -> Compiled:
    processes: dict[str, str] = {}
    config: dict[str, str] = {}
    for path in sorted(out.glob("release.*"), key=lambda path: int(path.suffix[1:])):
        info: ReleaseInfo = read_release(_read(path))
        processes |= info.processes
        config |= info.config
    return Compiled(processes, config, _read(out / "used"))


def _read(path: Path) -> str:
    """A small file that a build wrote; never one that a symlink leads to."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(file, "rb") as data:
        return data.read(1 << 20).decode(errors="replace")


def _give(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for path in (folder, *(f"{folder}/{name}" for name in names)):
            os.chown(path, OWNER, OWNER)
