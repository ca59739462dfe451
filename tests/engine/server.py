"""A real daemon under test: started, pushed to, talked to over SSH and HTTP, killed, and cleaned away."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mothership import config
from mothership.engine import Engine
from mothership.errors import MothershipError
from mothership.install.host import build_settings

EXAMPLES = Path(__file__).parents[2] / "examples"
INSTANCE = "mothership.instance"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer through the proxy."""

    status: int
    body: str
    headers: dict[str, str]


class Server:
    """One installation of Mothership on the shared engine."""

    def __init__(self, root: Path, instance: str, *, prefix: Sequence[str] = (), **settings: object) -> None:
        self.root = root
        self.prefix = list(prefix)
        self.instance = instance
        self.data = root / "data"
        self.http_port, self.ssh_port, registry_port = free_ports(3)
        values: dict[str, object] = {
            "instance": instance,
            "http_port": self.http_port,
            "ssh_port": self.ssh_port,
            "registry_port": registry_port,
            "boot_timeout": 45,
            "worker_uptime": 2,
            "drain": 5,
            "grace": 3,
            "builds": 2,
            **build_settings(),
            **settings,
        }
        self.settings = config.Settings(data=self.data, **values)  # type: ignore[arg-type]
        config.save(self.settings)
        self.key = self._make_key("ada", admin=True)
        self.process: subprocess.Popen[bytes] | None = None

    # the daemon

    def __enter__(self) -> Self:
        """Start the daemon; at the end of the block all that it made is gone."""
        try:
            self.start()
        except BaseException:
            self.destroy()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def start(self) -> None:
        """Start the daemon and wait until its SSH door answers."""
        log = (self.root / "daemon.log").open("ab")
        argv = [*self.prefix, sys.executable, "-m", "mothership.cli", "serve", "--data", str(self.data)]
        self.process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self.ssh("version", timeout=10).returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"the daemon did not come up:\n{self.log()[-4000:]}")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End the daemon by a signal, and wait for its end."""
        if self.process:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)
            self.process.wait(30)
            self.process = None

    def log(self) -> str:
        return (self.root / "daemon.log").read_text(errors="replace")

    def destroy(self) -> None:
        """End the daemon and remove what it made from the engine."""
        self.kill(signal.SIGTERM)
        asyncio.run(remove_instance(self.instance))
        asyncio.run(remove_images(f"{self.settings.registry}/"))
        shutil.rmtree(self.data, ignore_errors=True)

    # people

    def _make_key(self, user: str, *, admin: bool = False) -> Path:
        key = self.root / f"key-{user}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", user, "-f", str(key)], check=True)
        argv = [sys.executable, "-m", "mothership.admin", "--data", str(self.data), "add-key", "--user", user]
        line = key.with_suffix(".pub").read_text()
        subprocess.run([*argv, *(["--admin"] if admin else [])], input=line, text=True, check=True, capture_output=True)
        return key

    def add_user(self, user: str) -> Path:
        """A further user, not an admin; the path of the private key."""
        return self._make_key(user)

    # doors

    def ssh_argv(self, *, key: Path | None = None, options: tuple[str, ...] = ()) -> list[str]:
        fixed = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        fixed += ["-o", "IdentitiesOnly=yes", "-F", "/dev/null"]
        return [*self.prefix, "ssh", *fixed, "-i", str(key or self.key), "-p", str(self.ssh_port), *options]

    def ssh(
        self,
        line: str,
        *,
        key: Path | None = None,
        stdin: bytes = b"",
        timeout: float = 60,
        options: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run one command line over SSH with the real client."""
        argv = [*self.ssh_argv(key=key, options=options), "mothership@127.0.0.1", line]
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=timeout, check=False)
        return subprocess.CompletedProcess(argv, done.returncode, _text(done.stdout), _text(done.stderr))

    def remote(self, app: str) -> str:
        return f"ssh://mothership@127.0.0.1:{self.ssh_port}/{app}"

    def git_environment(self, key: Path | None = None) -> dict[str, str]:
        identity = {
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": " ".join(self.ssh_argv(key=key)).removesuffix(f" -p {self.ssh_port}"),
        }
        return {**os.environ, **identity}

    def git(self, folder: Path, *words: str, key: Path | None = None, timeout: float = 180) -> "Result":
        argv = ["git", *words]
        done = subprocess.run(
            argv, cwd=folder, env=self.git_environment(key), capture_output=True, timeout=timeout, check=False
        )
        return Result(done.returncode, _text(done.stdout) + _text(done.stderr))

    def commit(self, folder: Path, files: dict[str, str] | None = None, message: str = "Change") -> str:
        """Write files, commit everything in the folder on main, and return the commit."""
        for name, text in (files or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if not (folder / ".git").exists():
            self.git(folder, "init", "-q", "-b", "main")
        self.git(folder, "add", "-A")
        assert self.git(folder, "commit", "-q", "--allow-empty", "-m", message).code == 0
        return self.git(folder, "rev-parse", "HEAD").text.strip()

    def push(self, folder: Path, app: str, *words: str, key: Path | None = None, timeout: float = 180) -> "Result":
        """Push main (or what `words` say) over SSH with the real client."""
        return self.git(folder, "push", self.remote(app), *(words or ("main",)), key=key, timeout=timeout)

    def get(self, app: str, path: str = "/", *, timeout: float = 10, host: str = "") -> Answer:
        """GET through the proxy, by the app's hostname."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}")
        request.add_header("Host", host or f"{app}.localhost")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Answer(answer.status, _text(answer.read()), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, _text(error.read()), dict(error.headers))

    # what the engine has

    def containers(self, **labels: str) -> list[dict[str, object]]:
        wanted = {INSTANCE: self.instance, **{f"mothership.{k}": v for k, v in labels.items()}}
        return asyncio.run(Engine().containers(wanted))

    def services(self, app: str) -> list[str]:
        wanted = {INSTANCE: self.instance, "mothership.app": app}
        return sorted(
            s["Spec"]["Name"].removeprefix(f"{self.instance}-") for s in asyncio.run(Engine().services(wanted))
        )

    def execute(self, container: str, *argv: str) -> None:
        """Run a command in a running container."""
        made = Engine().call(lambda api: api.exec_start(api.exec_create(container, list(argv))["Id"]))
        asyncio.run(made)  # type: ignore[arg-type]

    def quarantines(self) -> list[Path]:
        return list((self.data / "repos").glob("*.git/objects/tmp_objdir-incoming-*"))

    def ref(self, app: str, name: str = "refs/heads/main") -> str:
        repository = self.data / "repos" / f"{app}.git"
        argv = ["git", "-C", str(repository), "rev-parse", "--quiet", "--verify", name]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

    def releases(self, app: str) -> list[dict[str, str]]:
        done = self.ssh(f"releases {app} --json")
        return json.loads(done.stdout)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Result:
    """How a git command ended, and all it printed."""

    code: int
    text: str


async def remove_instance(instance: str) -> None:
    """Remove every service, container and network of one test instance."""
    engine, mine = Engine(), {INSTANCE: instance}
    for service in await engine.services(mine):
        await engine.remove_service(service["ID"])
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        found = await engine.containers(mine)
        for container in found:
            with suppress(MothershipError):
                await engine.stop(str(container["Id"]), timeout=1)
            await engine.remove(str(container["Id"]))
        if not found and not await engine.services(mine):
            break
        await asyncio.sleep(0.3)
    for network in await engine.networks(mine):
        for _ in range(50):
            try:
                await engine.remove_network(network["Id"])
                break
            except MothershipError:
                await asyncio.sleep(0.2)


async def remove_images(prefix: str) -> None:
    """Remove the images that were pulled from one test's registry."""
    engine = Engine()
    for image in await engine.images({}):
        if any(name.startswith(prefix) for name in image.get("RepoDigests") or []):
            with suppress(MothershipError):
                await engine.remove_image(image["Id"], force=True)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def until(check: object, *, seconds: float = 20) -> bool:
    """Wait until a check says yes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
