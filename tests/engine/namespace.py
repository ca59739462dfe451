"""An engine of its own in a network namespace of its own: for tests that restart engines, or need several."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from mothership.install.host import build_settings
from tests.engine.server import until

BRIDGE = "mstbr0"
IMAGES = ("stack-build", "stack-run", "platform")


class Node:
    """One engine in a namespace, reached by its socket; what runs with `prefix` is in the namespace too."""

    def __init__(self, root: Path, number: int) -> None:
        self.name = f"mstn{number}"
        self.address = f"10.99.7.{number}"
        self.root = root
        self.socket = root / "docker.sock"
        self.prefix = ["nsenter", f"--net=/run/netns/{self.name}"]
        self._number = number
        self._engine: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Make the namespace with a way out, and start the engine in it."""
        self.close()
        if not Path(f"/sys/class/net/{BRIDGE}").exists():
            run("ip", "link", "add", BRIDGE, "type", "bridge")
            run("ip", "addr", "add", "10.99.7.254/24", "dev", BRIDGE)
            run("ip", "link", "set", BRIDGE, "up")
            run(
                "iptables",
                "-t",
                "nat",
                "-A",
                "POSTROUTING",
                "-s",
                "10.99.7.0/24",
                "!",
                "-o",
                BRIDGE,
                "-j",
                "MASQUERADE",
            )
            run("iptables", "-I", "FORWARD", "-i", BRIDGE, "-j", "ACCEPT")
            run("iptables", "-I", "FORWARD", "-o", BRIDGE, "-j", "ACCEPT")
        veth = f"mstv{self._number}"
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", veth, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", veth, "master", BRIDGE, "up")
        run("ip", "-n", self.name, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            run("ip", "-n", self.name, "link", "set", device, "up")
        run("ip", "-n", self.name, "route", "add", "default", "via", "10.99.7.254")
        (self.root / "daemon.json").write_text("{}")
        self.start_engine()

    def start_engine(self) -> None:
        """Start the engine and wait until it answers."""
        (self.root / "pid").unlink(missing_ok=True)
        argv = [*self.prefix, "unshare", "--uts", "dockerd", "--config-file", str(self.root / "daemon.json")]
        argv += ["--data-root", str(self.root / "data"), "--exec-root", str(self.root / "exec")]
        argv += ["--pidfile", str(self.root / "pid"), "-H", f"unix://{self.socket}", "--cgroup-parent", f"/{self.name}"]
        log = (self.root / "dockerd.log").open("ab")
        self._engine = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        assert until(self._answers, seconds=60), (self.root / "dockerd.log").read_text()[-3000:]

    def stop_engine(self, number: int = signal.SIGTERM) -> None:
        """End the engine by a signal, and wait for its end."""
        if self._engine:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._engine.pid, number)
            self._engine.wait(60)
            self._engine = None
        # Its containerd dies with it, a moment later; an engine that starts meanwhile would wait for it in vain.
        pid = self.root / "exec" / "containerd" / "containerd.pid"
        if pid.exists():
            until(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists(), seconds=5)
            pid.unlink()

    def join_swarm_alone(self) -> None:
        self.docker("swarm", "init", "--advertise-addr", self.address)

    def take_images(self) -> None:
        """Have the stack's images from the shared engine."""
        stack = build_settings().get("stack", "heroku-24")
        names = [f"mothership/{name}:{stack}" for name in IMAGES]
        save = subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE)
        load = ["docker", "-H", f"unix://{self.socket}", "load", "--quiet"]
        subprocess.run(load, stdin=save.stdout, check=True, capture_output=True)
        assert save.wait() == 0

    def docker(self, *words: str) -> str:
        return run("docker", "-H", f"unix://{self.socket}", *words)

    def get(self, url: str, host: str) -> tuple[int, str]:
        """GET from within the namespace: the status (0 for no answer) and the body."""
        argv = [*self.prefix, "curl", "-s", "-m", "3", "-H", f"Host: {host}", "-w", "\n%{http_code}", url]
        body, _, status = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.rpartition("\n")
        return int(status or 0), body

    def close(self) -> None:
        """Take everything of it away."""
        self.stop_engine()
        if self._processes():
            for pid in self._processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.5)
        for mount in reversed(Path("/proc/mounts").read_text().splitlines()):
            if (place := mount.split()[1]).startswith(f"{self.root}/"):
                subprocess.run(["umount", "-l", place], check=False, capture_output=True)
        for words in (("link", "del", f"mstv{self._number}"), ("netns", "del", self.name)):
            subprocess.run(["ip", *words], check=False, capture_output=True)
        for name in ("data", "exec"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def _processes(self) -> list[int]:
        """What still runs in the namespace."""
        shown = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        return [int(pid) for pid in shown.stdout.split()]

    def _answers(self) -> bool:
        argv = ["docker", "-H", f"unix://{self.socket}", "info", "--format", "{{json .ServerVersion}}"]
        shown = subprocess.run(argv, capture_output=True, text=True, check=False)
        return shown.returncode == 0 and bool(json.loads(shown.stdout))


def run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout
