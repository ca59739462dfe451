"""How long a line of a build takes to the client's terminal: from the recipe that says it to what git prints.

python benchmarks/latency.py         prints a markdown table; needs git and ssh; a few seconds
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mothership.model import Push
from mothership.output import Output
from tests.unit.receiver_house import House, opened

LINES = 200
PAUSE = 0.01


async def delays(house: House, door: str) -> list[float]:
    """Push once, and say a line every hundredth of a second meanwhile; what each took, in milliseconds."""
    said: list[float] = []

    async def speak(push: Push, out: Output) -> None:
        for number in range(LINES):
            await asyncio.sleep(PAUSE)
            said.append(time.monotonic())
            out.raw(f"line {number}")

    house.pushes.recipe = speak
    work = await house.clone(door)
    client = await house.start("git", "push", house.url(door, door), "main", cwd=work)
    assert client.stderr
    heard = [time.monotonic() async for line in client.stderr if b"line " in line]
    await client.wait()
    return [(after - before) * 1000 for before, after in zip(said, heard, strict=True)]


async def main() -> None:
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{LINES} lines each, {git}, milliseconds\n\n| door | median | p99 |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as path:
        async with opened(Path(path)) as house:
            for door in ("ssh", "http"):
                took = await delays(house, door)
                print(f"| {door} | {statistics.median(took):.1f} | {statistics.quantiles(took, n=100)[98]:.1f} |")


if __name__ == "__main__":
    asyncio.run(main())
