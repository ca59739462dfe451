"""Limits for the steps of a Dockerfile build, which the engine's BuildKit runs without any (cgroups(7)).

Engine 20.10 ignores `docker build --cgroup-parent`, so each step's own cgroup is limited as soon as it is there. A
step is told from other people's builds by a mark in its environment: BuildKit gives every step the predefined proxy
variables, and they are no part of its cache keys.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mothership.config import Settings
from mothership.engine.container import MIB

PACE = 0.05
PERIOD = 100_000
"""Microseconds, the kernel's default."""


@dataclass(frozen=True)
class Allowance:
    """What all processes of one step may use together. Memory in bytes, CPU in cores."""

    memory: int
    cpu: float
    pids: int

    def files(self) -> Iterator[tuple[str, str, str]]:
        """(controller, file, value), for version 1 and version 2 of the interface."""
        quota = str(int(self.cpu * PERIOD))
        yield "memory", "memory.limit_in_bytes", str(self.memory)
        yield "memory", "memory.memsw.limit_in_bytes", str(self.memory)
        yield "cpu", "cpu.cfs_quota_us", quota
        yield "pids", "pids.max", str(self.pids)
        yield "", "memory.max", str(self.memory)
        yield "", "memory.swap.max", "0"
        yield "", "cpu.max", f"{quota} {PERIOD}"
        yield "", "pids.max", str(self.pids)


def allowance(settings: Settings) -> Allowance:
    return Allowance(settings.build_memory * MIB, settings.build_cpu, settings.build_pids)


def mark(build: str) -> str:
    """A no_proxy entry that no host has; it names the build in the environment of its steps."""
    return f"{build.lower()}.build.mothership.invalid"


@contextlib.asynccontextmanager
async def limited(mark: str, allowed: Allowance) -> AsyncIterator[None]:
    """Limit every step with this mark that starts during the block."""
    watching = asyncio.create_task(_watch(mark, allowed))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})


async def _watch(mark: str, allowed: Allowance) -> None:
    seen: set[str] = set()
    while True:
        present = {path.name for path in Path("/proc").iterdir() if path.name.isdigit()}
        for pid in present - seen:
            if groups := step_cgroups(Path("/proc") / pid, mark):
                restrict(groups, allowed)
        seen = present
        await asyncio.sleep(PACE)


def step_cgroups(process: Path, mark: str) -> dict[str, str]:
    """The cgroups of a build's step, by controller ("" for version 2); none for any other process."""
    try:
        text = (process / "cgroup").read_text()
        if "buildkit" not in text or mark.encode() not in (process / "environ").read_bytes():
            return {}
    except OSError:
        return {}
    groups = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def restrict(groups: Mapping[str, str], allowed: Allowance, root: Path = Path("/sys/fs/cgroup")) -> None:
    """Write the limits; a file that isn't there belongs to the other version, or its step has ended."""
    for controller, name, value in allowed.files():
        if controller in groups:
            with contextlib.suppress(OSError):
                (root / controller / groups[controller].lstrip("/") / name).write_text(value)
