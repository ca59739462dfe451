"""A stand for buildpacks: small apps built in the build image and served from the run image, as a push does it."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from builder.stack.plan import build_image, run_image
from mothership.engine import Bind, ContainerSpec, Engine

ROOT = Path(__file__).parents[2]
BUILDPACKS = ROOT / "builder" / "buildpacks"
EXAMPLES = ROOT / "examples"
STACK = "heroku-24"
INSTANCE = "test-buildpacks"
APP = 1000
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
BUNDLE_VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
PASSED_ON = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Outcome:
    """What a script printed, its exit code, and how long it took in seconds."""

    code: int
    text: str
    seconds: float


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]


class App:
    """An app's workspace, cache and config, with a container of the build image beside them."""

    def __init__(self, root: Path, shared: Path, buildpack: str, files: Mapping[str, str] | Path) -> None:
        self.engine = Engine()
        self.workspace = root / "app"
        self.cache = root / "cache"
        self.buildpack = buildpack
        self._copy = root / "buildpack"
        self._config = root / "env"
        self._shared = shared
        self._container = ""
        for path in (self.workspace, self.cache, self._config, shared / "uv", shared / "npm"):
            path.mkdir(parents=True, exist_ok=True)
        self.write(_read(files) if isinstance(files, Path) else files)

    def write(self, files: Mapping[str, str]) -> None:
        """Put files into the workspace; a script (`#!`) is executable."""
        for name, text in files.items():
            path = self.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if text.startswith("#!") else 0o644)

    def configure(self, **values: str) -> None:
        for name, value in values.items():
            (self._config / name).write_text(value)

    async def detect(self) -> Outcome:
        return await self._script("detect", "/app")

    async def build(self) -> Outcome:
        """bin/compile, which must succeed."""
        outcome = await self.compile()
        assert outcome.code == 0, outcome.text
        return outcome

    async def compile(self) -> Outcome:
        return await self._script("compile", "/app", f"/cache/{self.buildpack}", "/env")

    async def release(self) -> str:
        outcome = await self._script("release", "/app")
        assert outcome.code == 0, outcome.text
        return outcome.text

    async def web(self) -> str:
        """The command of the Procfile's web process, else of the buildpack's default one."""
        procfile = self.workspace / "Procfile"
        text = procfile.read_text() if procfile.exists() else await self.release()
        line = next(line.strip() for line in text.splitlines() if line.strip().startswith("web:"))
        command = line.removeprefix("web:").strip()
        return command[1:-1].replace("''", "'") if command.startswith("'") else command

    async def run(self, script: str) -> Outcome:
        """A bash script in the build container, as the builder's user, in /app."""
        return await self._exec(("bash", "-c", f"cd /app; {script}"))

    async def _script(self, name: str, *arguments: str) -> Outcome:
        self._fresh_buildpack()
        return await self._exec((f"/buildpacks/{self.buildpack}/bin/{name}", *arguments))

    def _fresh_buildpack(self) -> None:
        """A new copy in which only bin/* is executable, whatever an installer did to the files' modes."""
        shutil.rmtree(self._copy / self.buildpack, ignore_errors=True)
        shutil.copytree(BUILDPACKS / self.buildpack, self._copy / self.buildpack, copy_function=shutil.copyfile)
        shutil.copytree(BUILDPACKS / "static", self._copy / "static", copy_function=shutil.copyfile, dirs_exist_ok=True)
        shutil.copytree(BUILDPACKS / "shared", self._copy / self.buildpack / "lib", dirs_exist_ok=True)
        for script in (self._copy / self.buildpack / "bin").iterdir():
            script.chmod(0o755)
        _own(self._copy, self.workspace, self.cache / self.buildpack, self._shared / "uv", self._shared / "npm")

    async def _exec(self, argv: tuple[str, ...]) -> Outcome:
        started = time.monotonic()
        identity, stream = await self.engine.exec(self._container, argv, workdir=_workdir(argv[0]))
        lines = [line async for line in stream.lines()]
        stream.close()
        code = await self.engine.exec_code(identity)
        return Outcome(code, "\n".join(lines), time.monotonic() - started)

    @asynccontextmanager
    async def standing(self) -> AsyncIterator["App"]:
        (self.cache / self.buildpack).mkdir(exist_ok=True)
        self._fresh_buildpack()
        async with self.engine.container(self._spec()) as container:
            await self.engine.start(container)
            self._container = container
            yield self

    def _spec(self) -> ContainerSpec:
        binds = (
            Bind(str(self.workspace), "/app"),
            Bind(str(self.cache), "/cache"),
            Bind(str(self._config), "/env", read_only=True),
            Bind(str(self._copy), "/buildpacks"),
            Bind(str(self._shared), "/shared"),
            *([Bind(BUNDLE, BUNDLE, read_only=True)] if Path(BUNDLE).exists() else []),
        )
        env = dict.fromkeys(BUNDLE_VARIABLES, BUNDLE) | {"STACK": STACK}
        env |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        env |= {"UV_CACHE_DIR": "/shared/uv", "npm_config_cache": "/shared/npm"}
        return ContainerSpec(
            image=build_image(STACK),
            command=("sleep", "600"),
            env=env,
            labels={"mothership.instance": INSTANCE},
            user=f"{APP}:{APP}",
            binds=binds,
            memory=2048,
            pids=2048,
            init=True,
            cap_drop=("ALL",),
            stop_timeout=1,
        )

    @asynccontextmanager
    async def serving(self, *, command: str = "", env: Mapping[str, str] | None = None) -> AsyncIterator["Site"]:
        """The workspace run as an image would: profile scripts, then the web process on PORT 8080."""
        command = command or await self.web()
        script = 'for f in .profile.d/*.sh; do [ -f "$f" ] && . "$f"; done; exec ' + command
        spec = ContainerSpec(
            image=run_image(STACK),
            command=("bash", "-c", script),
            env={"HOME": "/app", "PORT": "8080"} | dict(env or {}),
            labels={"mothership.instance": INSTANCE},
            user=f"{APP}:{APP}",
            workdir="/app",
            binds=(Bind(str(self.workspace), "/app"),),
            memory=512,
            init=True,
            cap_drop=("ALL",),
            stop_timeout=1,
        )
        async with self.engine.container(spec) as container:
            await self.engine.start(container)
            address = (await self.engine.inspect(container))["NetworkSettings"]["IPAddress"]
            site = Site(self.engine, container, f"http://{address}:8080")
            await site.wait()
            yield site


class Site:
    """A running web process."""

    def __init__(self, engine: Engine, container: str, url: str) -> None:
        self._engine = engine
        self._container = container
        self._url = url

    async def get(self, path: str = "/", **headers: str) -> Answer:
        """GET a path as it is written, without following redirects; `_` in a header's name stands for `-`."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        async with aiohttp.ClientSession() as session:
            url = URL(self._url + path, encoded=True)
            async with session.get(url, headers=names, allow_redirects=False) as response:
                return Answer(response.status, await response.text(), response.headers)

    async def logs(self) -> str:
        return "\n".join(await self._engine.logs(self._container, tail=200))

    async def wait(self) -> None:
        for _ in range(600):
            try:
                await self.get()
                return
            except aiohttp.ClientError:
                state = (await self._engine.inspect(self._container))["State"]
                assert state["Running"], await self.logs()
                await asyncio.sleep(0.05)
        raise AssertionError(f"Nothing listens on port 8080:\n{await self.logs()}")


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package managers' caches, shared by all tests of a session."""
    return tmp_path_factory.getbasetemp() / "package-caches"


def contents(root: Path) -> dict[str, bytes]:
    """Every file below a directory by its path, and what a layer would keep of it."""
    return {
        str(path.relative_to(root)): str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def _read(directory: Path) -> dict[str, str]:
    return {str(p.relative_to(directory)): p.read_text() for p in directory.rglob("*") if p.is_file()}


def _workdir(program: str) -> str:
    return str(Path(program).parents[1]) if program.startswith("/buildpacks/") else "/app"


def _own(*roots: Path) -> None:
    """Give what the tests wrote to the builder's user; what is his already costs one look."""
    for root in roots:
        for directory, _, files in os.walk(root):
            for path in (directory, *(os.path.join(directory, name) for name in files)):  # noqa: PTH118
                if os.lstat(path).st_uid != APP:  # noqa: PTH116
                    os.lchown(path, APP, APP)
