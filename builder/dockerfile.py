"""Dockerfile apps: built by the engine's BuildKit from the commit alone, never from the workspace."""

import asyncio
import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from builder import cgroups
from builder.arguments import declared, passed
from builder.cli import docker_cli, docker_environment, proxy_arguments
from builder.commit import LIMIT, read_file
from builder.disk import disk_full
from builder.frontend import check
from builder.limits import out_of_memory, time_limit
from builder.lines import Lines
from builder.quota import write_limit
from builder.recipe import NAME, Recipe
from builder.source import Source
from builder.thread import in_thread
from builder.tree import git_environment
from mothership.config import Settings
from mothership.engine.stream import CHUNK
from mothership.errors import BuildFailed, Invalid
from mothership.output import Output

STEP = re.compile(r"#\d+ \[(?:[^\]]*?)(\d+/\d+)\] (.*)")
PRINTED = re.compile(r"#\d+ \d+\.\d+ (.*)")
UNREACHABLE = re.compile(
    r'failed to do request: \w+ "https?://(?P<host>[^/]+)/v2/(?:library/)?(?P<name>.+)/manifests/(?P<tag>[^"]+)": '
    r"(?P<why>.+)"
)
OUT_OF_MEMORY = "exit code: 137"
ARCHIVER = 1 << 30
"""Bytes of memory for git archive, which writes out what export-subst stands for there (gitattributes(5))."""

SECRET_CA = "ca"
"""`RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt …` gives a step the host's certificates."""


class Dockerfiles:
    """Runs `docker build` with the commit's tree as context."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def build(self, source: Source, recipe: Recipe, tag: str, out: Output) -> None:
        """Build the image and tag it in the engine. Raises BuildFailed, Invalid; a cancellation ends the build."""
        out.step(f"Dockerfile app detected{f' ({recipe.path}, by {recipe.named_by})' if recipe.named_by else ''}")
        for process in recipe.others:
            out.detail(f"Note: {process} runs in the same image; its own Dockerfile in {recipe.named_by} is not built.")
        with TemporaryDirectory(prefix="build-", dir=self._scratch()) as place:
            tree, file = Path(place) / "tree", Path(place) / "tree" / recipe.path
            tree.mkdir()
            if not recipe.text:
                await in_thread(_committed, source, recipe)
            async with write_limit(self._settings.build_disk, lambda: (tree,)):
                await unpack(source, tree)
            if recipe.text:
                file = Path(place) / NAME
                file.write_bytes(recipe.text)
            text = await in_thread(_unpacked, file, recipe)
            arguments = {**declared(text, source.config), **recipe.arguments}
            check(text, arguments)
            words, environment = passed(arguments)
            argv = (*await self._argv(source, tag), *words, "--file", str(file), str(tree / recipe.context))
            code, last = await self._run(argv, source, environment, out)
        if code and OUT_OF_MEMORY in last:
            raise out_of_memory(source, self._settings)
        if code and (match := UNREACHABLE.search(last)):
            raise _unreachable(source, match)
        if code:
            raise BuildFailed(
                f"docker build failed: {last}" if last else "docker build failed.", "See its output above."
            )

    async def _run(
        self, argv: tuple[str, ...], source: Source, environment: Mapping[str, str], out: Output
    ) -> tuple[int, str]:
        child = await asyncio.create_subprocess_exec(
            *argv,
            env={**environment, **docker_environment(self._settings), **self._mark(source)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with (
                time_limit(self._settings.build_time),
                cgroups.limited(cgroups.mark(source.build_id), cgroups.allowance(self._settings)),
            ):
                last = await _show(child, out, f"{self._settings.registry}/")
                return await child.wait(), last
        finally:
            await _ended(child)

    def _mark(self, source: Source) -> dict[str, str]:
        """The hosts that need no proxy, and with them the mark of this build."""
        given = {name: self._settings.build_env.get(name, "") for name in ("no_proxy", "NO_PROXY")}
        mark = cgroups.mark(source.build_id)
        return {name: f"{value},{mark}" if value else mark for name, value in given.items()}

    def _scratch(self) -> Path:
        path = self._settings.data / "builds" / ".running"
        path.mkdir(parents=True, exist_ok=True)
        return path

    async def _argv(self, source: Source, tag: str) -> tuple[str, ...]:
        # The build must not outlive the daemon, not even one that is killed (setpriv(1)).
        words = ["setpriv", "--pdeathsig", "KILL", await docker_cli(), "build", "--progress=plain", "--tag", tag]
        words += ["--label", f"mothership.instance={self._settings.instance}"]
        if source.no_cache:
            words.append("--no-cache")
        if self._settings.ca_bundle:
            words += ["--secret", f"id={SECRET_CA},src={self._settings.ca_bundle}"]
        words += proxy_arguments({*self._settings.build_env, *self._mark(source)})
        return tuple(words)


def _committed(source: Source, recipe: Recipe) -> None:
    """Raises BuildFailed, Invalid for a Dockerfile that isn't in the commit, or is no file of a Dockerfile's size."""
    if read_file(source, recipe.path) is None:
        raise BuildFailed(
            f"There is no file {recipe.path} in {source.known[:7]}, which {recipe.named_by or 'the build'} names.",
            "Commit it, or name another.",
            reason="no such Dockerfile",
        )


def _unpacked(file: Path, recipe: Recipe) -> bytes:
    """What docker will read: git may write another text than the commit's (gitattributes(5)). Raises Invalid."""
    try:
        with file.open("rb") as found:
            text = found.read(LIMIT + 1)
    except FileNotFoundError as error:
        raise Invalid(f"{recipe.path} is left out (export-ignore in .gitattributes), and builds nothing.") from error
    if len(text) > LIMIT:
        raise Invalid(f"{recipe.path} is larger than {LIMIT >> 10} KiB with what .gitattributes has git write into it.")
    return text


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


def _closed() -> BuildFailed:
    return BuildFailed(
        "The Dockerfile names an image of this server's own registry; nothing is taken from there.",
        "Start FROM an image of another registry, or copy the files into this app's repository.",
        reason="internal image",
    )


def _unreachable(source: Source, match: re.Match[str]) -> BuildFailed:
    """The error for a base image whose registry can't be asked."""
    image = match["name"] if match["tag"] == "latest" else f"{match['name']}:{match['tag']}"
    return BuildFailed(
        f"The base image {image} can't be fetched: {match['host']} doesn't answer ({match['why']}).",
        "Push again when it does, or name an image in FROM that this server can reach. To build the app by buildpacks "
        f"instead, whatever its Dockerfile says: mothership buildpacks:set -a {source.app} LANGUAGE",
        reason="base image out of reach",
    )


async def unpack(source: Source, context: Path) -> None:
    """The commit's files as a folder, as git-archive(1) gives them. Raises BuildFailed."""
    folder = ("--", source.folder) if source.folder else ()
    archive, tar = os.pipe()
    git = await asyncio.create_subprocess_exec(
        *(
            *("prlimit", f"--data={ARCHIVER}", "git"),
            "--literal-pathspecs",
            "-c",
            "safe.directory=*",
            f"--git-dir={source.repository}",
            "archive",
            source.commit,
            *folder,
        ),
        env=git_environment(source),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=tar,
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(tar)
    taker = await asyncio.create_subprocess_exec(
        *("tar", "--extract", "--no-same-owner", "--directory", str(context)),
        f"--strip-components={len(PurePosixPath(source.folder).parts)}",
        stdin=archive,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(archive)
    try:
        _, complaint = await taker.communicate()
        if await git.wait() or taker.returncode:
            if b"No space left" in complaint:
                raise disk_full(context)
            raise BuildFailed(f"The commit could not be unpacked: {complaint.decode(errors='replace').strip()[:300]}")
    finally:
        await _ended(git)
        await _ended(taker)


async def _ended(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _show(child: asyncio.subprocess.Process, out: Output, closed: str) -> str:
    """Render the build's lines as they come; the last error.

    Raises BuildFailed when a step is about an image whose name begins with `closed`. The engine has the images of all
    apps, and gives one whose digest is known to any build without asking the registry.
    """
    assert child.stdout
    lines, error, shown = Lines(), "", ""
    while data := await child.stdout.read(CHUNK):
        for line in lines.feed(data):
            kind, text = line_shape(line)
            if closed in line and kind != "detail":
                raise _closed()
            if kind == "step" and text != shown:
                out.step(text)
                shown = text
            elif kind == "detail":
                out.detail(text)
            elif kind == "error":
                error = text
    return error
