"""Building: Mothership against committing a container and against a BuildKit Dockerfile, side by side on one engine.

    python benchmarks/build.py           prints markdown tables; needs the stack's images; about ten minutes

Each way builds the same commits on the same build image and ends when the image is in the same registry. Times are
wall-clock seconds, medians over the rounds; bytes are what the registry's storage grew by.
"""

import argparse
import asyncio
import base64
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from builder import Builder, Source
from builder.certificates import BUNDLE
from builder.cli import docker_cli
from builder.credential import credential
from builder.disk import folder_size
from builder.packs import HERE
from builder.registry import Registry
from builder.stack.plan import build_image
from mothership.config import Settings
from mothership.engine import Engine
from mothership.install.host import build_settings
from mothership.output import Output

PACKAGES = ("gunicorn", "whitenoise", "requests", "celery", "redis", "psycopg2-binary", "pillow", "boto3", "httpx")
MODULES = ("express", "mongoose", "winston", "jsonwebtoken", "socket.io", "pg", "redis", "pug", "body-parser", "jest")
MANAGE = (
    "import sys\nfrom django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n"
)
SETTINGS = (
    "SECRET_KEY='x'\nALLOWED_HOSTS=['*']\nROOT_URLCONF='site_.urls'\nSTATIC_ROOT='static'\nSTATIC_URL='/static/'\n"
    "INSTALLED_APPS=['django.contrib.staticfiles','django.contrib.admin','django.contrib.auth',"
    "'django.contrib.contenttypes']\n"
)


@dataclass(frozen=True)
class App:
    """An app to build: its files, the change of a source line, the files with one more dependency, a Dockerfile."""

    name: str
    buildpack: str
    files: dict[str, str]
    source: str
    added: Callable[[Path], None]
    dockerfile: str


def django() -> App:
    return App(
        name=f"Django, {len(PACKAGES) + 1} requirements",
        buildpack="python",
        files={
            "requirements.txt": "\n".join(("django", *PACKAGES)) + "\n",
            "manage.py": "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'site_.settings'\n" + MANAGE,
            "site_/__init__.py": "",
            "site_/settings.py": SETTINGS,
            "site_/urls.py": "urlpatterns = []\n",
            "Procfile": "web: gunicorn site_.wsgi\n",
        },
        source="site_/urls.py",
        added=lambda folder: append(folder / "requirements.txt", "attrs\n"),
        dockerfile=(
            "ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv UV_LINK_MODE=copy\nRUN uv venv /venv\n"
            "COPY requirements.txt .\n"
            "RUN --mount=type=secret,id=env --mount=type=secret,id=ca --mount=type=cache,target=/uv "
            ". /run/secrets/env; UV_CACHE_DIR=/uv uv pip install --compile-bytecode -r requirements.txt\n"
            "COPY . .\nRUN python manage.py collectstatic --noinput\n"
        ),
    )


def express() -> App:
    return App(
        name="Express",
        buildpack="node",
        files={
            "package.json": json.dumps(
                {"name": "a", "version": "1.0.0", "scripts": {"start": "node a.js"}, "dependencies": {}}, indent=1
            ),
            "a.js": "require('express')().listen(process.env.PORT);\n",
        },
        source="a.js",
        added=lambda folder: npm(folder, "is-odd"),
        dockerfile=(
            "ENV PATH=/opt/node/bin:$PATH\nCOPY package.json package-lock.json ./\n"
            "RUN --mount=type=secret,id=env --mount=type=secret,id=ca --mount=type=cache,target=/npm "
            ". /run/secrets/env; npm ci --cache /npm --no-audit --no-fund\nCOPY . .\n"
        ),
    )


# The ways.


@dataclass
class Bench:
    """One registry, one engine, the ways that share them."""

    settings: Settings
    engine: Engine
    builder: Builder
    root: Path
    docker: str
    lines: list[str] = field(default_factory=list)

    async def mothership(self, app: str, repository: Path, commit: str, number: int) -> None:
        source = Source(app, commit, repository, build_id=f"{app}{number}")
        await self.builder.build(source, Output(self.lines.append))

    async def committed(self, app: str, repository: Path, commit: str, number: int) -> None:
        """The way of tools that run buildpacks in a container's own file system and commit it."""
        tag, name = f"{self.settings.registry}/committed-{app}:latest", f"{self.settings.instance}-committed"
        cache = self.root / f"cache-{app}"
        cache.mkdir(exist_ok=True)
        os.chown(cache, 1000, 1000)
        bundle = ("-v", f"{self.settings.ca_bundle}:{BUNDLE}:ro") if self.settings.ca_bundle else ()
        env = [word for key, value in self.environment(BUNDLE).items() for word in ("-e", f"{key}={value}")]
        pack = Path(app.partition("-")[0]).name
        archive = self.root / "source.tar"
        self.call("git", f"--git-dir={repository}", "archive", "-o", str(archive), commit)
        script = "mkdir -p /tmp/env && cp -R /pack /tmp/pack && cp /shared/* /tmp/pack/lib"
        script += " && cp -R /static /tmp/static && tar -x -C /app -f /source.tar"
        self.call("docker", "rm", "-f", name, check=False)
        self.call(
            *("docker", "create", "--name", name, "-u", "1000:1000", "-v", f"{cache}:/cache"),
            *(
                "-v",
                f"{HERE / pack}:/pack",
                "-v",
                f"{HERE / 'shared'}:/shared",
                "-v",
                f"{HERE / 'static'}:/static",
                "-v",
                f"{archive}:/source.tar:ro",
                *bundle,
                *env,
                build_image(self.settings.stack),
            ),
            *("bash", "-c", f"{script} && /tmp/pack/bin/compile /app /cache /tmp/env"),
        )
        self.call("docker", "start", "-a", name)
        self.call("docker", "commit", name, tag)
        self.call("docker", "push", "-q", tag)
        self.call("docker", "rm", name)

    async def dockerfile(self, app: str, repository: Path, commit: str, number: int, text: str) -> None:
        tag = f"{self.settings.registry}/buildkit-{app}:latest"
        with tempfile.TemporaryDirectory(dir=self.root) as folder:
            archive = subprocess.run(
                ("git", f"--git-dir={repository}", "archive", commit), stdout=subprocess.PIPE, check=True
            ).stdout
            subprocess.run(("tar", "-x", "-C", folder), input=archive, check=True)
            (Path(folder) / "Dockerfile").write_text(f"FROM {build_image(self.settings.stack)}\nWORKDIR /app\n{text}")
            secret = self.root / "env"
            secret.write_text(
                "".join(f"export {key}='{value}'\n" for key, value in self.environment("/run/secrets/ca").items())
            )
            bundle = ("--secret", f"id=ca,src={self.settings.ca_bundle}") if self.settings.ca_bundle else ()
            self.call(self.docker, "build", "-q", "-t", tag, "--secret", f"id=env,src={secret}", *bundle, folder)
        self.call("docker", "push", "-q", tag)

    def environment(self, bundle: str) -> dict[str, str]:
        names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "npm_config_cafile", "PIP_CERT")
        return {
            **self.settings.build_env,
            **(dict.fromkeys(names, bundle) if self.settings.ca_bundle else {}),
            "HOME": "/tmp",
        }

    def call(self, *argv: str, check: bool = True) -> None:
        environment = {**os.environ, "DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": str(self.known())}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
        if check and done.returncode:
            raise SystemExit(f"{' '.join(argv)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")

    def known(self) -> Path:
        """A folder by which the docker command is known to the registry (docker login, "Credential stores")."""
        login = credential(self.settings.data)
        word = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        folder = self.root / "docker"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"auths": {self.settings.registry: {"auth": word}}}))
        return folder

    def stored(self) -> int:
        return folder_size(self.settings.data / "registry")


Build = Callable[[str, Path, str, int], Awaitable[None]]


async def measured(bench: Bench, app: App, rounds: int) -> dict[str, dict[str, tuple[float, int]]]:
    """Way → step → median seconds and bytes that reached the registry."""
    ways: dict[str, Build] = {
        "Mothership": bench.mothership,
        "committed container": bench.committed,
        "BuildKit Dockerfile": lambda a, r, c, n: bench.dockerfile(a, r, c, n, app.dockerfile),
    }
    found: dict[str, dict[str, list[tuple[float, int]]]] = {way: {} for way in ways}
    folder = bench.root / f"work-{app.buildpack}"
    folder.mkdir()
    repository = commit_all(folder, app.files, bench.root / f"{app.buildpack}.git")
    if app.buildpack == "node":
        npm(folder, *MODULES)
        repository = commit_all(folder, {}, repository)
    steps: list[tuple[str, Callable[[int], None]]] = [("first build", lambda n: None)]
    steps += [("source change", lambda n: append(folder / app.source, f"{mark(app)} {n}\n"))] * rounds
    steps += [("one added dependency", lambda n: app.added(folder))]
    for number, (step, change) in enumerate(steps):
        change(number)
        commit_all(folder, {}, repository)
        commit = git(folder, "rev-parse", "HEAD")
        for way, build in ways.items():
            before, started = bench.stored(), time.monotonic()
            await build(f"{app.buildpack}-app", repository, commit, number)
            found[way].setdefault(step, []).append((time.monotonic() - started, bench.stored() - before))
    return {
        way: {step: tuple(statistics.median(part) for part in zip(*runs, strict=True)) for step, runs in steps_.items()}  # type: ignore[misc]
        for way, steps_ in found.items()
    }


async def same_digests(bench: Bench, app: App) -> bool:
    """Whether two builds of one commit from nothing, in two places, cut the same layers."""
    repository = bench.root / f"{app.buildpack}.git"
    commit = git(repository, "rev-parse", "main")
    layers = []
    for number in range(2):
        name = f"again-{app.buildpack}-{number}"
        source = Source(name, commit, repository, build_id=name, no_cache=True)
        image = await bench.builder.build(source, Output(bench.lines.append))
        registry = Registry(bench.settings.registry)
        registry.login(credential(bench.settings.data))
        manifest = await registry.manifest(name, image.digest)
        layers.append([layer["digest"] for layer in manifest["layers"]])
    return layers[0] == layers[1]


def show(app: App, found: dict[str, dict[str, tuple[float, int]]], same: bool, size: int) -> None:
    print(
        f"\n**{app.name}** (committed image {size / 1e6:.0f} MB; "
        f"two builds from nothing give the same layers: {'yes' if same else 'NO'})\n"
    )
    print("| way | first build | source change | moved | one added dependency | moved |\n|---|---|---|---|---|---|")
    ours = found["Mothership"]
    for way, steps in found.items():
        cells = []
        for step in ("first build", "source change", "one added dependency"):
            seconds, size_ = steps[step]
            ratio = f" ({seconds / ours[step][0]:.1f}×)" if way != "Mothership" else ""
            cells.append(f"{seconds:.2f} s{ratio}")
            if step != "first build":
                cells.append(f"{size_ / 1e6:.2f} MB")
        print(f"| {way} | {' | '.join(cells)} |")


# Files and git.


def mark(app: App) -> str:
    return "#" if app.buildpack == "python" else "//"


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def npm(folder: Path, *packages: str) -> None:
    words = ("npm", "install", "--package-lock-only", "--no-audit", "--no-fund", "--silent", *packages)
    subprocess.run(words, cwd=folder, check=True)


def commit_all(folder: Path, files: dict[str, str], bare: Path) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
        subprocess.run(("git", "init", "-q", "--bare", "-b", "main", str(bare)), check=True)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    git(folder, "push", "-q", str(bare), "main")
    return bare


def git(folder: Path, *words: str) -> str:
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    return subprocess.run(
        ("git", "-C", str(folder), *settings, *words), check=True, capture_output=True, text=True
    ).stdout.strip()


@contextmanager
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="bench-build-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


async def main(rounds: int, only: str) -> None:
    with place() as root, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        settings = Settings(data=root / "data", instance="bench-build", registry_port=port, **build_settings())  # type: ignore[arg-type]
        settings.data.mkdir()
        engine = Engine(settings.docker_host)
        bench = Bench(settings, engine, Builder(settings, engine), root, await docker_cli())
        try:
            await bench.builder.start()
            for app in [app for app in (django(), express()) if only in ("", app.buildpack)]:
                found = await measured(bench, app, rounds)
                image = subprocess.run(
                    (
                        "docker",
                        "image",
                        "inspect",
                        "-f",
                        "{{.Size}}",
                        f"{settings.registry}/committed-{app.buildpack}-app",
                    ),
                    capture_output=True,
                    text=True,
                    check=True,
                )
                show(app, found, await same_digests(bench, app), int(image.stdout))
        except Exception:
            print("\n".join(bench.lines[-40:]))
            raise
        finally:
            for container in await engine.containers({"mothership.instance": settings.instance}):
                await engine.remove(container["Id"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="source changes, whose median counts")
    parser.add_argument("--only", default="", choices=("python", "node"), help="one of the two apps")
    given = parser.parse_args()
    asyncio.run(main(given.rounds, given.only))
