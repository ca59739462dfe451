"""Dockerfile apps: built by the engine's BuildKit from the commit alone, never from the workspace."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any

from builder.cli import docker_cli, docker_environment, proxy_arguments
from builder.lines import Lines
from builder.source import Source
from builder.workspace import git_environment
from mothership.config import Settings
from mothership.engine.stream import CHUNK
from mothership.errors import BuildFailed
from mothership.output import Output

STEP = re.compile(r"#\d+ \[(?:[^\]]*?)(\d+/\d+)\] (.*)")
PRINTED = re.compile(r"#\d+ \d+\.\d+ (.*)")
ARGUMENT = re.compile(r"^\s*ARG\s+([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE | re.IGNORECASE)
SECRET_CA = "ca"
"""`RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt …` gives a step the host's certificates."""


class Dockerfiles:
    """Runs `docker build` with the commit's tree as context."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def build(self, source: Source, dockerfile: bytes, tag: str, out: Output) -> None:
        """Build the image and tag it in the engine. Raises BuildFailed; a cancellation ends the build."""
        out.step("Dockerfile app detected")
        archive = await asyncio.create_subprocess_exec(
            *("git", "-c", "safe.directory=*", f"--git-dir={source.repository}", "archive", source.commit),
            env=git_environment(source),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        child = await asyncio.create_subprocess_exec(
            *await self._argv(source, dockerfile, tag),
            env={**docker_environment(self._settings), **declared(dockerfile, source.config)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(self._settings.build_time):
                _, last = await asyncio.gather(_pour(archive, child), _show(child, out))
                code = await child.wait()
        except TimeoutError:
            raise BuildFailed(
                f"The build took longer than {self._settings.build_time} seconds and was stopped.",
                "An admin can raise build_time in mothership.toml.",
                reason="build took too long",
            ) from None
        finally:
            for process in (archive, child):
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
        if code:
            raise BuildFailed(
                f"docker build failed: {last}" if last else "docker build failed.", "See its output above."
            )

    async def _argv(self, source: Source, dockerfile: bytes, tag: str) -> tuple[str, ...]:
        words = [await docker_cli(), "build", "--progress=plain", "--tag", tag]
        words += ["--label", f"mothership.instance={self._settings.instance}"]
        if source.no_cache:
            words.append("--no-cache")
        if self._settings.ca_bundle:
            words += ["--secret", f"id={SECRET_CA},src={self._settings.ca_bundle}"]
        words += proxy_arguments(self._settings)
        for name in declared(dockerfile, source.config):
            words += ["--build-arg", name]
        return (*words, "-")


def declared(dockerfile: bytes, config: Mapping[str, str]) -> dict[str, str]:
    """The config vars that the Dockerfile asks for with ARG; their values travel in the environment, not in argv."""
    names = set(ARGUMENT.findall(dockerfile.decode(errors="replace")))
    return {name: value for name, value in config.items() if name in names}


def command(config: Mapping[str, Any]) -> tuple[str, ...]:
    """What the image runs by itself: ENTRYPOINT and CMD."""
    return (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))


def exposed(config: Mapping[str, Any]) -> int:
    """The one TCP port the image EXPOSEs, 0 when there is none or a choice."""
    ports = [port.partition("/")[0] for port in config.get("ExposedPorts") or {} if port.endswith("/tcp")]
    return int(ports[0]) if len(ports) == 1 else 0


def line_shape(line: str) -> tuple[str, str]:
    """BuildKit's plain progress in Heroku's shapes: ("step" or "detail" or "error" or "", text)."""
    if match := STEP.match(line):
        return "step", f"Step {match[1]}: {match[2]}"
    if match := PRINTED.match(line):
        return "detail", match[1]
    if line.startswith(("ERROR", "error:", "failed to")) or " ERROR: " in line:
        return "error", line.rpartition("ERROR: ")[2] or line
    return "", ""


async def _pour(archive: asyncio.subprocess.Process, child: asyncio.subprocess.Process) -> None:
    assert archive.stdout and child.stdin
    with contextlib.suppress(ConnectionError):
        while data := await archive.stdout.read(CHUNK):
            child.stdin.write(data)
            await child.stdin.drain()
    child.stdin.close()


async def _show(child: asyncio.subprocess.Process, out: Output) -> str:
    """Render the build's lines as they come; the last error."""
    assert child.stdout
    lines, error, shown = Lines(), "", ""
    while data := await child.stdout.read(CHUNK):
        for line in lines.feed(data):
            kind, text = line_shape(line)
            if kind == "step" and text != shown:
                out.step(text)
                shown = text
            elif kind == "detail":
                out.detail(text)
            elif kind == "error":
                error = text
    return error
