"""Keeping up with a real engine's log files while they rotate under a reader that is slower than the process."""

import asyncio
import time

from builder.stack.plan import run_image
from mothership.engine import ContainerSpec, Engine
from mothership.logs.pursuit import Pursuit, sieved
from tests.engine.buildpack_stand import STACK

LINES = 150_000
PRINTS = f"""
import sys, time
for part in range({LINES // 1000}):
    sys.stdout.write("".join("line %d %s\\n" % (part * 1000 + n, "x" * 60) for n in range(1000)))
    sys.stdout.flush()
    time.sleep(0.05)
print("over", flush=True)
"""


async def test_a_reader_that_falls_behind_gets_every_line_once() -> None:
    spec = ContainerSpec(
        run_image(STACK),
        ("python3", "-c", PRINTS),
        labels={"mothership-test": "pursuit"},
        log_driver="json-file",
        log_options={"max-size": "10m", "max-file": "3"},
    )
    engine = Engine()
    kept: list[str] = []

    def keep(channel: int, at: str, text: str, gap: bool) -> None:
        kept.append("gap" if gap else text.rstrip("x "))
        if len(kept) % 15_000 == 0:
            time.sleep(1)

    async with engine.container(spec) as container:
        await engine.start(container)
        async with asyncio.timeout(120):
            await Pursuit(engine, container, sieved({1: ("", 0), 2: ("", 0)}), keep).run()
    assert kept == [*(f"line {number}" for number in range(LINES)), "over"]
