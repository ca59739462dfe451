"""Makes the engine ready for the tests: it answers, it is a Swarm manager, it has the stack's images."""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from builder.stack import image as stack
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import EngineUnavailable, MothershipError
from mothership.install import host, machine
from mothership.output import Output


async def main() -> None:
    with TemporaryDirectory() as data:
        settings = Settings(data=Path(data), **host.build_settings())  # type: ignore[arg-type]
        engine = Engine(settings.docker_host)
        await answers(engine, patience=30)
        await machine.join_swarm(settings, engine)
        await stack.ensure(settings, engine, Output(print))


async def answers(engine: Engine, *, patience: float) -> bool:
    """Whether the engine answers within `patience` seconds."""
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            await engine.version()
            return True
        except EngineUnavailable:
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(0.3)


if __name__ == "__main__":
    if "--answers" in sys.argv:
        sys.exit(not asyncio.run(answers(Engine(), patience=0)))
    try:
        asyncio.run(main())
    except MothershipError as error:
        sys.exit(f"{error.message}\n{error.hint}")
