"""In the place of ssh: the real command table over a store in $MOTHERSHIP_TEST_DATA, and no network.

It notes each command line in the file `lines`, and ends with the command's exit status as ssh does.
"""

import asyncio
import os
import sys
from pathlib import Path

from mothership.commands.dispatch import Dispatch
from tests.unit.test_commands import Caller, house

DATA = Path(os.environ["MOTHERSHIP_TEST_DATA"])


def main(argv: list[str]) -> int:
    host, line = argv[argv.index("--") + 1 :]
    with (DATA / "lines").open("a") as lines:
        lines.write(f"{host} {line}\n")
    if host.endswith("unreachable"):
        return 255
    rooms = house._get_wrapped_function()(DATA)
    caller = Caller(rooms.accounts.user("ada"))
    status = asyncio.run(Dispatch(rooms).run(line, caller))
    sys.stdout.buffer.write(caller.out)
    sys.stderr.buffer.write(caller.err)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
