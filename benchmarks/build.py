"""Building: Mothership against committing a container and against a BuildKit Dockerfile, side by side on one engine.

    python -m benchmarks.build           prints markdown tables; needs the stack's images; about ten minutes

Each way builds the same commits on the same build image and ends when the image is in the same registry. Times are
wall-clock seconds, medians over the rounds; bytes are what the registry's storage grew by.
"""

import argparse
import asyncio
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.build_apps import MODULES, App, change, commit_all, django, express, git, npm
from benchmarks.build_ways import Bench
from builder import Builder, Source
from builder.cli import docker_cli
from builder.credential import credential
from builder.registry import Registry
from mothership.config import Settings
from mothership.engine import Engine
from mothership.install.host import build_settings
from mothership.output import Output

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
    steps += [("source change", lambda n: change(app, folder / app.source, n))] * rounds
    steps += [("new file", lambda n: change(app, folder / f"new{n}{Path(app.source).suffix}", n))] * rounds
    steps += [("file that steps read", lambda n: change(app, folder / app.read, n))] * rounds
    steps += [("added dependency", lambda n: app.added(folder))]
    for number, (step, prepare) in enumerate(steps):
        prepare(number)
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
    print("| way | first build | source change | moved | new file | file that steps read | added dependency | moved |")
    print("|---|---|---|---|---|---|---|---|")
    ours = found["Mothership"]
    for way, steps in found.items():
        cells = []
        for step in ("first build", "source change", "new file", "file that steps read", "added dependency"):
            seconds, size_ = steps[step]
            ratio = f" ({seconds / ours[step][0]:.1f}×)" if way != "Mothership" else ""
            cells.append(f"{seconds:.2f} s{ratio}")
            if step in ("source change", "added dependency"):
                cells.append(f"{size_ / 1e6:.2f} MB")
        print(f"| {way} | {' | '.join(cells)} |")


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
    parser.add_argument("--rounds", type=int, default=5, help="changes of each kind, whose median counts")
    parser.add_argument("--only", default="", choices=("python", "node"), help="one of the two apps")
    given = parser.parse_args()
    asyncio.run(main(given.rounds, given.only))
