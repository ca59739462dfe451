"""`mothership run` against `docker run` of the same image: the time of a command that does nothing, and a gigabyte.

python benchmarks/run.py         prints markdown tables; needs a Swarm manager; about a minute
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.engine.server import Server
from tests.engine.test_road import FILES

ROUNDS = 11
GIB = 1 << 30


def timed(verb: Callable[[], None]) -> float:
    began = time.monotonic()
    verb()
    return time.monotonic() - began


def resident(pid: int) -> int:
    """A process's resident memory in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) >> 10
    return 0


def small(server: Server, image: str) -> None:
    """The two ways take turns."""
    ours, theirs, shell = [], [], []
    run = ["docker", "run", "--rm", "--network", server.settings.network, "--memory", "1g", image, "apprun", "true"]
    for _ in range(ROUNDS):
        theirs.append(timed(lambda: subprocess.run(run, check=True, capture_output=True) and None))  # type: ignore[func-returns-value]
        ours.append(timed(lambda: server.ssh("run once -- true") and None))  # type: ignore[func-returns-value]
        shell.append(timed(lambda: server.ssh("version") and None))  # type: ignore[func-returns-value]
    print(f"median of {ROUNDS}\n\n| | seconds |\n|---|---|")
    print(f"| `docker run` of the same image, network and limit | {statistics.median(theirs):.3f} |")
    print(f"| `ssh HOST run APP -- true` | {statistics.median(ours):.3f} |")
    print(f"| of which a handshake and an empty command | {statistics.median(shell):.3f} |")
    print(f"| over `docker run` (goal: 0.150) | {statistics.median(ours) - statistics.median(theirs):.3f} |")


def large(server: Server) -> None:
    assert server.process
    before, most, count = resident(server.process.pid), 0, 0
    argv = [*server.ssh_argv(), "mothership@127.0.0.1", f"run once -- head -c {GIB} /dev/zero"]
    began = time.monotonic()
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as child:
        assert child.stdout
        while data := child.stdout.read(1 << 20):
            count += len(data)
            most = max(most, resident(server.process.pid))
    took = time.monotonic() - began
    print("\n| 1 GiB out of `run` | |\n|---|---|")
    print(f"| bytes that came | {count:,} |\n| MiB/s | {count / took / (1 << 20):.0f} |")
    print(f"| daemon's memory before, MiB | {before} |\n| at most meanwhile, MiB | {most} |")


def main() -> None:
    with tempfile.TemporaryDirectory() as path:
        server = Server(Path(path), "mstbenchrun")
        folder = Path(path) / "app"
        folder.mkdir()
        try:
            server.start()
            server.commit(folder, FILES)
            pushed = server.push(folder, "once")
            assert pushed.code == 0, pushed.text
            digest = server.ssh("apps:info once").stdout.split("image:")[1].split()[0]
            small(server, f"{server.settings.registry}/once@{digest}")
            large(server)
        finally:
            server.destroy()


if __name__ == "__main__":
    main()
