"""One native git process for one push or fetch: spawned clean, and never left behind."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from mothership.config import Settings

RECEIVE = "git-receive-pack"
UPLOAD = "git-upload-pack"
CHUNK = 1 << 18
PATIENCE = (3.0, 5.0, 5.0)
"""Seconds a child has to end after its input closed, after SIGTERM, after SIGKILL."""


def argv(service: str, repository: Path, config: Mapping[str, str], *flags: str) -> list[str]:
    """The command line of one child."""
    pairs = [part for key, value in config.items() for part in ("-c", f"{key}={value}")]
    return ["git", *pairs, service.removeprefix("git-"), *flags, str(repository)]


def receive_config(settings: Settings, hooks: Path, repository: Path) -> dict[str, str]:
    """How git checks and takes a push (git-config, `receive.*`)."""
    return {
        "safe.directory": str(repository),
        "core.hooksPath": str(hooks),
        "receive.fsckObjects": "true",
        "receive.fsck.zeroPaddedFilemode": "warn",
        "receive.fsck.badTimezone": "warn",
        "receive.fsck.missingSpaceBeforeDate": "warn",
        "receive.maxInputSize": str(settings.max_input_size << 20),
        "receive.keepAlive": "5",
        "receive.advertisePushOptions": "true",
        "receive.autogc": "false",
        "receive.shallowUpdate": "true",
        "receive.hideRefs": "refs/mothership",
        "receive.denyCurrentBranch": "ignore",
        "receive.denyDeleteCurrent": "ignore",
        "receive.denyDeletes": "false",
        "receive.denyNonFastForwards": "false",
    }


def upload_config(repository: Path) -> dict[str, str]:
    """How git serves a fetch (git-config, `uploadpack.*`)."""
    return {
        "safe.directory": str(repository),
        "uploadpack.allowFilter": "true",
        "uploadpack.allowReachableSHA1InWant": "true",
        "uploadpack.keepAlive": "5",
    }


def environment(protocol: str = "", **more: str) -> dict[str, str]:
    """All that a child knows of the world; of the client's environment only GIT_PROTOCOL."""
    known = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return known | ({"GIT_PROTOCOL": protocol} if protocol else {}) | more


@contextlib.asynccontextmanager
async def spawned(
    command: Sequence[str], env: Mapping[str, str], complain: Callable[[bytes], None], *, inherit: Sequence[int] = ()
) -> AsyncIterator[Process]:
    """A child in a process group of its own; what it says on standard error goes to `complain`.

    The body reads standard output to its end; leaving it early ends the child.
    """
    git = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env, limit=CHUNK, start_new_session=True, pass_fds=inherit
    )
    listener = asyncio.create_task(_listen(git, complain))
    try:
        yield git
        await listener
        await git.wait()
    finally:
        await unhurried(_end(git))
        listener.cancel()


async def _listen(git: Process, complain: Callable[[bytes], None]) -> None:
    assert git.stderr
    while said := await git.stderr.read(CHUNK):
        complain(said)


async def _end(git: Process) -> None:
    """See the child off: end of input first, so that git clears its quarantine away by itself."""
    assert git.stdin and git.stdout
    git.stdin.close()
    async with background(_discard(git.stdout)):
        for patience, next_signal in zip(PATIENCE, (signal.SIGTERM, signal.SIGKILL, None), strict=True):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await git.wait()
            if git.returncode is not None or next_signal is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(git.pid, next_signal)
    with contextlib.suppress(ConnectionError):
        await git.stdin.wait_closed()


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(CHUNK):
        pass


@contextlib.asynccontextmanager
async def background(work: Awaitable[None]) -> AsyncIterator[None]:
    """Work that goes on meanwhile and is stopped at the end. What made it fail is raised then."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()


async def unhurried(work: Awaitable[object]) -> None:
    """Wait for work to end even while being cancelled; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled:
        raise cancelled
