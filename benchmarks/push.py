"""Receiving a push: Mothership's two doors against native git under OpenSSH's sshd, side by side on one machine.

    python benchmarks/push.py            prints a markdown table; needs git, ssh and sshd; about two minutes

Every push goes into a fresh repository. The variants take turns, so that whatever else the machine does hits all
alike. Times are wall-clock seconds of `git push`, medians; memory is the daemon's peak resident set less what it
had before its first push.
"""

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
from aiohttp import web

from mothership.commands.session import Session
from mothership.config import Settings
from mothership.model import Push, User
from mothership.output import Output
from mothership.repos import Repos
from receiver import http
from receiver.ssh import SshServer

SEED = 1405
TOKEN = "benchmark"
ME = User(1, "benchmark", admin=True)
MIB = 1 << 20


@dataclass(frozen=True)
class Load:
    """A repository to push: so many files of such a size in so many commits, and how often it is pushed."""

    name: str
    files: int
    size: int
    commits: int
    rounds: int


LOADS = (
    Load("small (40 files, 80 kB)", 40, 2_000, 10, 15),
    Load("25 MB (250 files)", 250, 100_000, 25, 7),
    Load("300 MB (3,000 files)", 3_000, 100_000, 60, 3),
)


# The daemon under test: the real doors, and a recipe that does nothing.


class Anyone:
    """Accounts: one key and one token."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    async def user_for_key(self, algorithm: str, data: bytes) -> User | None:
        return ME if data == self._key else None

    async def user_for_token(self, token: str) -> User | None:
        return ME if token == TOKEN else None


class Nothing:
    """Pushes and Commands: every push is accepted at once."""

    def __init__(self, repos: Repos) -> None:
        self._repos = repos

    async def repository(self, app: str, user: User, *, write: bool) -> Path:
        return await self._repos.create(app)

    @contextlib.asynccontextmanager
    async def receive(self, push: Push, out: Output) -> AsyncIterator[None]:
        yield

    async def run(self, line: str, session: Session) -> int:
        return 1


async def serve(directory: Path, ssh_port: int, http_port: int) -> None:
    """Run the daemon until it is ended."""
    settings = Settings(data=directory / "data", ssh_port=ssh_port)
    accounts = Anyone(asyncssh.read_public_key(directory / "key.pub").public_data)
    pushes = Nothing(Repos(settings.data))
    await SshServer(settings, accounts, pushes, pushes, host="127.0.0.1").start()
    app = http.application(settings, accounts, pushes)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, read_bufsize=http.CHUNK)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", http_port).start()
    await asyncio.Event().wait()


# The baseline: sshd with a configuration of its own, on a port of its own.


def sshd(directory: Path, port: int) -> list[str]:
    """An sshd in the foreground that lets the benchmark's key in and nothing else."""
    Path("/run/sshd").mkdir(exist_ok=True)
    config = directory / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {directory / 'host'}\nAuthorizedKeysFile {directory / 'key.pub'}\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPidFile none\nPrintMotd no\n"
    )
    return [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", str(config)]


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """A server for as long as the block lasts; its process id."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _await_port(process, port)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    sys.exit(f"{process.args} did not start: {process.stderr.read().decode() if process.stderr else ''}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# The repositories.


def generate(load: Load, path: Path) -> None:
    """The same repository every time: seeded bytes, half of them text, through git fast-import."""
    dice = random.Random(SEED)
    git("init", "--quiet", "--bare", "-b", "main", str(path))
    importer = subprocess.Popen(
        ["git", f"--git-dir={path}", "-c", "core.compression=1", "fast-import", "--quiet"], stdin=subprocess.PIPE
    )
    assert importer.stdin
    for number in range(load.commits):
        importer.stdin.write(_commit(number))
        for file in range(number, load.files, load.commits):
            content = (
                dice.randbytes(load.size)
                if file % 2
                else dice.randbytes(load.size * 3 // 4).hex().encode()[: load.size]
            )
            importer.stdin.write(b"M 100644 inline dir%d/file%d\ndata %d\n%s\n" % (file % 20, file, load.size, content))
    importer.stdin.close()
    if importer.wait():
        sys.exit("git fast-import failed")


def _commit(number: int) -> bytes:
    message = b"commit %d" % number
    who = b"committer Ann <ann@example.org> %d +0000" % (1_700_000_000 + number)
    return b"commit refs/heads/main\n%s\ndata %d\n%s\n" % (who, len(message), message)


def git(*words: str, env: dict[str, str] | None = None) -> None:
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *words], check=True, env=clean | (env or {}), capture_output=True)


# The measurement.


@dataclass
class Bench:
    """Everything that runs, and where it is."""

    directory: Path
    daemon: int
    ssh_port: int
    http_port: int
    sshd_port: int
    idle: float

    def variants(self) -> dict[str, Callable[[Path], float]]:
        return {
            "native": lambda source: self._native(source, checked=False),
            "native, same checks": lambda source: self._native(source, checked=True),
            "ssh": lambda source: self._ours(source, f"ssh://x@127.0.0.1:{self.ssh_port}/bench"),
            "http": lambda source: self._ours(source, f"http://x:{TOKEN}@127.0.0.1:{self.http_port}/bench.git"),
        }

    def _native(self, source: Path, *, checked: bool) -> float:
        target = self.directory / "native.git"
        git("init", "--quiet", "--bare", "-b", "main", "--template=", str(target))
        if checked:
            git(f"--git-dir={target}", "config", "receive.fsckObjects", "true")
        return self._push(source, f"ssh://root@127.0.0.1:{self.sshd_port}{target}", target)

    def _ours(self, source: Path, url: str) -> float:
        return self._push(source, url, self.directory / "data" / "repos" / "bench.git")

    def _push(self, source: Path, url: str, target: Path) -> float:
        options = "-F/dev/null -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR"
        env = {"GIT_SSH_COMMAND": f"ssh {options} -oIdentitiesOnly=yes -i {self.directory / 'key'}"}
        before = time.monotonic()
        git(f"--git-dir={source}", "push", "--quiet", url, "main", env=env)
        took = time.monotonic() - before
        shutil.rmtree(target)
        return took

    def measure(self, load: Load) -> str:
        """One row of the table."""
        source = self.directory / "source.git"
        generate(load, source)
        variants = self.variants()
        times: dict[str, list[float]] = {name: [] for name in variants}
        grown = {name: 0.0 for name in variants}
        for number in range(load.rounds + 1):
            for name in _rotated(list(variants), number):
                _reset_peak(self.daemon)
                took = variants[name](source)
                grown[name] = max(grown[name], _status(self.daemon, "VmHWM") - self.idle)
                if number:  # the first round warms the caches
                    times[name].append(took)
        shutil.rmtree(source)
        return _row(load, {name: statistics.median(each) for name, each in times.items()}, grown)


def _rotated(names: list[str], by: int) -> list[str]:
    """Another one first in every round: whoever comes after a large push pays for what that left unwritten."""
    return names[by % len(names) :] + names[: by % len(names)]


def _row(load: Load, took: dict[str, float], grown: dict[str, float]) -> str:
    cells = [load.name, *(f"{took[name]:.2f} s" for name in took)]
    for name in ("ssh", "http"):
        cells += [f"{took[name] / took['native']:.2f}×", f"{took[name] / took['native, same checks']:.2f}×"]
    cells.append(f"{grown['ssh']:.0f} / {grown['http']:.0f} MiB")
    return "| " + " | ".join(cells) + " |"


def _reset_peak(pid: int) -> None:
    """Forget the peak of a process's resident memory (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, field: str) -> float:
    """A process's memory in MiB (proc(5), status)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=3, metavar=("DIR", "SSH_PORT", "HTTP_PORT"), help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=0, help="pushes of each kind, instead of 15, 7 and 3")
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(Path(arguments.serve[0]), int(arguments.serve[1]), int(arguments.serve[2])))
        return
    with tempfile.TemporaryDirectory(prefix="mothership-push-") as name:
        compare(Path(name), arguments.rounds)


def compare(directory: Path, rounds: int) -> None:
    for key in ("key", "host"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / key)], check=True)
    ssh_port, http_port, sshd_port = free_port(), free_port(), free_port()
    daemon = [sys.executable, __file__, "--serve", str(directory), str(ssh_port), str(http_port)]
    print("| push of | sshd + git | sshd + git, same checks | SSH | HTTP | SSH : native | SSH : same checks "
          "| HTTP : native | HTTP : same checks | daemon's growth, SSH / HTTP |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    with running(daemon, http_port) as pid, running(sshd(directory, sshd_port), sshd_port):
        bench = Bench(directory, pid, ssh_port, http_port, sshd_port, _status(pid, "VmRSS"))
        for load in LOADS:
            print(bench.measure(replace(load, rounds=rounds or load.rounds)), flush=True)


if __name__ == "__main__":
    main()
