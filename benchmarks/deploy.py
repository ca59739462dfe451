"""`git push` to served, by stage: first push, a one-line source change, one added dependency, for Python and Node.

Needs a running engine with the stack's images. Prints a Markdown table; run as root: python -m benchmarks.deploy
"""

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.engine.server import EXAMPLES, Server

RUNS = 5
STAGES = (("receive", "Building"), ("build", "Releasing v"), ("boot and switch", "Serving v"), ("ref", "->"))


@dataclass(frozen=True)
class Kind:
    """An app to measure: its example, the file that a source change touches, and how a dependency is added."""

    name: str
    example: str
    change: Callable[[Path, int], None]
    add: Callable[[Path, int], None]


def main() -> None:
    with tempfile.TemporaryDirectory() as root:
        server = Server(Path(root), "msbenchd", worker_uptime=5, boot_timeout=60)
        try:
            server.start()
            print("| app | push | receive | build | boot and switch | ref | total | all but the app's own boot |")
            print("|---|---|---|---|---|---|---|---|")
            for kind in KINDS:
                measure(server, kind, Path(root))
        finally:
            server.destroy()


def measure(server: Server, kind: Kind, root: Path) -> None:
    folder = root / kind.name
    shutil.copytree(EXAMPLES / kind.example, folder)
    server.commit(folder)
    row(kind, "first", [timed_push(server, folder, kind.name)], boot(server, kind.name))
    alone = boot(server, kind.name)
    for what, edit, count in (("source change", kind.change, RUNS), ("added dependency", kind.add, 3)):
        times = []
        for number in range(count):
            edit(folder, number)
            server.commit(folder)
            times.append(timed_push(server, folder, kind.name))
        row(kind, what, times, alone)


def timed_push(server: Server, folder: Path, app: str) -> dict[str, float]:
    """Seconds of each stage, by when the client saw its line."""
    began = last = time.perf_counter()
    found: dict[str, float] = {}
    waiting = list(STAGES)
    argv = ["git", "push", server.remote(app), "main"]
    with subprocess.Popen(
        argv, cwd=folder, env=server.git_environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stderr
        text = ""
        for line in child.stderr:
            text += line
            if waiting and waiting[0][1] in line:
                now = time.perf_counter()
                found[waiting.pop(0)[0]] = now - last
                last = now
    if child.returncode:
        raise SystemExit(text)
    assert server.get(app).status == 200
    return {**found, "total": time.perf_counter() - began}


def boot(server: Server, app: str) -> float:
    """Seconds the app takes by itself, from `docker run` of its image to its first accepted connection."""
    running = printed("docker", "ps", "-q", "--filter", f"label=mothership.app={app}").split()[0]
    image = printed("docker", "inspect", "-f", "{{.Config.Image}}", running)
    words = json.loads(printed("docker", "inspect", "-f", "{{json .Config.Cmd}}", running))
    times = []
    for _ in range(3):
        began = time.perf_counter()
        argv = ["docker", "run", "-d", "--label", f"mothership.instance={server.instance}", "-e", "PORT=5000", image]
        container = printed(*argv, *words)
        pid = printed("docker", "inspect", "-f", "{{.State.Pid}}", container)
        while b":1388 " not in Path(f"/proc/{pid}/net/tcp").read_bytes() + Path(f"/proc/{pid}/net/tcp6").read_bytes():
            time.sleep(0.005)
        times.append(time.perf_counter() - began)
        subprocess.run(["docker", "rm", "-f", container], capture_output=True, check=True)
    return statistics.median(times)


def printed(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def row(kind: Kind, what: str, times: list[dict[str, float]], alone: float) -> None:
    stages = [*(stage for stage, _ in STAGES), "total"]
    middle = {stage: statistics.median(run.get(stage, 0.0) for run in times) for stage in stages}
    cells = " | ".join(f"{middle[stage]:.2f}" for stage in middle)
    print(f"| {kind.name} | {what} | {cells} | {middle['total'] - alone:.2f} |", flush=True)


def change_python(folder: Path, number: int) -> None:
    path = folder / "app.py"
    path.write_text(path.read_text() + f"# change {number}\n")


def add_python(folder: Path, number: int) -> None:
    path = folder / "requirements.txt"
    path.write_text(path.read_text() + ("idna==3.10\n", "six==1.17.0\n", "toml==0.10.2\n")[number])


def change_node(folder: Path, number: int) -> None:
    path = folder / "server.js"
    path.write_text(path.read_text() + f"// change {number}\n")


def add_node(folder: Path, number: int) -> None:
    argv = ["npm", "install", "--package-lock-only", "--save", ("ms", "once", "wrappy")[number]]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)


KINDS = (
    Kind("python", "python-flask", change_python, add_python),
    Kind("node", "node-express", change_node, add_node),
)

if __name__ == "__main__":
    main()
