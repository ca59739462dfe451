"""Runs the long child processes that make the stack, a line at a time."""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from mothership.errors import BuildFailed

KEPT = 20
LONGEST = 1 << 20


async def run(
    argv: Sequence[str], *, env: Mapping[str, str], what: str, remedy: str, on_line: Callable[[str], str]
) -> None:
    """Run a command, standard error and output alike through `on_line`, which returns what an error should quote.

    Raises BuildFailed with the last lines when it exits non-zero. A cancelled run leaves no process behind.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *argv,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=LONGEST,
        )
    except FileNotFoundError as error:
        raise BuildFailed(f"{what} failed: {argv[0]} is not installed.", f"apt-get install {argv[0]}") from error
    last: deque[str] = deque(maxlen=KEPT)
    try:
        assert child.stdout
        async for line in child.stdout:
            if quoted := on_line(line.decode(errors="replace").rstrip()):
                last.append(quoted)
        code = await child.wait()
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            await asyncio.shield(child.wait())
    if code:
        raise BuildFailed("\n".join([f"{what} failed (exit {code}):", *last]), remedy)
