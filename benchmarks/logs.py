"""What logs cost: reading 1 GB back, the way of a line to its reader, and a flood from one app.

    python benchmarks/logs.py        prints markdown tables; needs a Swarm manager and 1.2 GB of disk; about two minutes

The gigabyte is read through the verbs' own code (`Journal.find`), files in the page cache; lines travel from a process
in a container through the engine and the daemon to the real SSH client, on the machine's one clock.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mothership.logs import Journal, Query
from mothership.logs.line import engine_time, stored
from mothership.logs.segments import Bounds, Segments
from tests.engine.server import Server, until

MIB = 1024 * 1024
ROUNDS = 5
CLOCK = """
import time
number = 0
while True:
    time.sleep(0.05)
    print(f"tick {time.time_ns()}", flush=True)
"""
FLOOD = """
import sys, time
LINES, TENTHS = 2000, 300
began = time.monotonic()
for tenth in range(TENTHS):
    sys.stdout.write("".join(f"flood {tenth * LINES + n} {'x' * 80}\\n" for n in range(LINES)))
    sys.stdout.flush()
    time.sleep(max(0, began + (tenth + 1) / 10 - time.monotonic()))
print(f"over after {time.monotonic() - began:.1f} s", flush=True)
time.sleep(1000)
"""
COUNT = 600_000


def fill(folder: Path) -> int:
    """1 GB of an app's lines; how many."""
    segments, number = Segments(folder, Bounds()), 0
    while sum(path.stat().st_size for path in segments.files()) < 990 * MIB:
        lines = []
        for _ in range(50_000):
            at = engine_time(f"2026-11-22T{number // 3_600_000:02}:{number // 60_000 % 60:02}:00.{number:09}Z")
            text = f'10.0.0.{number % 250} "GET /articles/{number}" 200 {number % 9973} "Mozilla/5.0"'
            lines.append(stored(at, "0123456789ab1", f"app[web.{number % 4}]", text))
            number += 1
        segments.append(lines)
    segments.close()
    return number


async def reading(folder: Path) -> None:
    number = fill(folder)
    journal = Journal(folder, ThreadPoolExecutor(2))
    queries = {
        "the last 1000 lines": Query(count=1000),
        "the last 1000 of web.2": Query(count=1000, process="web.2"),
        "a word that is nowhere": Query(words=("nowhere-to-be-found",)),
        "a word in the oldest line": Query(words=('articles/7"',)),
        "a word in every line, the last 100": Query(words=("Mozilla",)),
        "two words": Query(words=("10.0.0.249", "/articles/249249")),
        "a regular expression that is nowhere": Query(regex="status=5[0-9]{2}|panic"),
        "a process that is nowhere": Query(process="worker"),
    }
    print(f"{number:,} lines, 1 GB, in {len(list(folder.glob('*.log')))} segments\n")
    print("| reading | found | median, ms | worst, ms |\n|---|---|---|---|")
    for name, query in queries.items():
        took = []
        for _ in range(ROUNDS):
            began = time.monotonic()
            found = await journal.find(query)
            took.append((time.monotonic() - began) * 1000)
        print(f"| {name} | {len(found)} | {statistics.median(took):.0f} | {max(took):.0f} |", flush=True)


@contextmanager
def following(server: Server, app: str) -> Iterator[list[float]]:
    """The milliseconds that each tick of an app took to the SSH client's output."""
    took: list[float] = []
    argv = [*server.ssh_argv(), "mothership@127.0.0.1", f"logs {app} -f -n 0 --ps clock"]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def read() -> None:
        for line in child.stdout or []:
            if b"]: tick " in line:
                took.append((time.time_ns() - int(line.rsplit(b" ", 1)[1])) / 1e6)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield took
    finally:
        child.terminate()
        child.wait()
        reader.join()


def resident(pid: int) -> float:
    """MiB of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / MIB


def processor(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def row(name: str, took: list[float]) -> None:
    tail = statistics.quantiles(took, n=100)[98]
    print(f"| {name} | {len(took)} | {statistics.median(took):.1f} | {tail:.1f} | {max(took):.1f} |", flush=True)


def flood(server: Server) -> None:
    assert server.process
    pid, peak, stop = server.process.pid, 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.1):
            peak = max(peak, resident(pid))

    print("| lines of a quiet app to its reader | lines | median, ms | p99, ms | worst, ms |\n|---|---|---|---|---|")
    with following(server, "quiet") as took:
        time.sleep(10)
    row("idle server", took)
    before, used = resident(pid), processor(pid)
    watcher = threading.Thread(target=watch)
    watcher.start()
    server.ssh("ps:scale loud flood=1")
    with following(server, "quiet") as took:
        time.sleep(30)
        until(lambda: "over after" in server.ssh("logs loud -n 1 --ps flood").stdout, seconds=120)
    row("while another app floods", took)
    stop.set()
    watcher.join()
    seconds = server.ssh("logs loud -n 1 --ps flood --source app").stdout.rsplit("after ", 1)[1].split(" ")[0]
    kept = stored_floods(server)
    print("\n| flood | |\n|---|---|")
    print(f"| lines printed, in {seconds} s | {COUNT:,} |\n| lines per second | {COUNT / float(seconds):,.0f} |")
    print(f"| kept | {len(set(kept)):,} |\n| doubled | {len(kept) - len(set(kept)):,} |")
    print(f"| said to be dropped | {dropped(server)} |")
    print(f"| daemon's memory before, at most, after | {before:.0f}, {peak:.0f}, {resident(pid):.0f} MiB |")
    print(f"| daemon's processor time | {processor(pid) - used:.1f} s |")


def stored_floods(server: Server) -> list[int]:
    folder = server.data / "logs" / "apps" / "loud"
    found = []
    for path in sorted(folder.glob("*.log")):
        with path.open(errors="replace") as file:
            found += [int(line.split("]: flood ")[1].split(" ")[0]) for line in file if "]: flood " in line]
    return found


def dropped(server: Server) -> int:
    lines = server.ssh("logs:search loud 'lines were dropped here'").stdout.splitlines()
    return sum(int(line.split("]: ")[1].split(" ")[0]) for line in lines)


def deployed(server: Server, folder: Path, app: str, files: dict[str, str]) -> None:
    folder.mkdir()
    server.commit(folder, {"requirements.txt": "", **files})
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text


def with_server(root: Path, work: Callable[[Server], None]) -> None:
    server = Server(root, "mstbenchlogs")
    try:
        server.start()
        deployed(server, root / "quiet", "quiet", {"clock.py": CLOCK, "Procfile": "clock: python clock.py\n"})
        deployed(server, root / "loud", "loud", {"flood.py": FLOOD, "Procfile": "flood: python flood.py\n"})
        assert server.ssh("ps:scale quiet clock=1").returncode == 0
        time.sleep(2)
        work(server)
    finally:
        server.destroy()


def main() -> None:
    with tempfile.TemporaryDirectory() as path:
        asyncio.run(reading(Path(path) / "big"))
    print()
    with tempfile.TemporaryDirectory() as path:
        with_server(Path(path), flood)


if __name__ == "__main__":
    main()
