"""What the daemon costs when nothing happens: CPU and memory with many apps and followers.

    python benchmarks/idle.py [APPS] [FOLLOWERS]     prints a markdown table; needs a Swarm manager; about two minutes

Every app is real in the store, with a release, config and formation; one of them runs (a hundred containers of the same
image would measure the engine). The followers are real clients of `logs -f`.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.engine.server import Server
from tests.engine.test_road import FILES

SECONDS = 20


def cpu(pid: int) -> float:
    """Seconds of CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmRSS:"))


def multiply(server: Server, count: int) -> None:
    """Copies of the app `one` in the store, scaled to nothing."""
    with sqlite3.connect(server.data / "mothership.db") as store:
        for number in range(count):
            name = f"copy{number}"
            store.execute(
                "INSERT INTO apps (name, owner, created, current) "
                "SELECT ?, owner, created, 1 FROM apps WHERE name = 'one'",
                (name,),
            )
            store.execute(
                "INSERT INTO releases (app, version, status, image, config, formation, limits, commit_id, description, "
                "user, created, drain) SELECT ?, version, status, image, config, '{\"web\": 0}', limits, commit_id, "
                "description, user, created, drain FROM releases WHERE app = 'one'",
                (name,),
            )


def main() -> None:
    apps, followers = [int(word) for word in (*sys.argv[1:], *("100", "50")[len(sys.argv) - 1 :])]
    with tempfile.TemporaryDirectory() as path:
        server = Server(Path(path), "mstidle")
        folder = Path(path) / "app"
        folder.mkdir()
        following: list[subprocess.Popen[bytes]] = []
        try:
            server.start()
            server.commit(folder, FILES)
            assert server.push(folder, "one").code == 0
            server.kill(15)
            multiply(server, apps - 1)
            server.start()
            assert server.process
            argv = [*server.ssh_argv(), "mothership@127.0.0.1", "logs one -f"]
            following = [
                subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(followers)
            ]
            time.sleep(15)
            before = cpu(server.process.pid)
            time.sleep(SECONDS)
            used = (cpu(server.process.pid) - before) / SECONDS
            print(f"{apps} apps, {followers} followers\n\n| | |\n|---|---|")
            print(f"| CPU of one core when idle (goal: 1%) | {used:.1%} |")
            print(f"| resident memory, MiB (goal: 120) | {resident(server.process.pid)} |")
        finally:
            for each in following:
                each.kill()
                each.wait()
            server.destroy()


if __name__ == "__main__":
    main()
