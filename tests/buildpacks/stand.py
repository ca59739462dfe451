"""Apps made of one small buildpack or several, pushed to a real server."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.engine.server import Result, Server
from tests.engine.test_builds import bridge_gateway

PACKS = Path(__file__).parent / "packs"


class Stand:
    """An app whose commit brings its buildpacks along, in folders that `.buildpacks` names."""

    def __init__(self, server: Server, folder: Path, app: str) -> None:
        self.server = server
        self.folder = folder
        self.app = app

    def use(self, *packs: str, files: Mapping[str, str] | None = None) -> None:
        """Commit these buildpacks, in this order, and files."""
        for name in packs:
            shutil.copytree(PACKS / name, self.folder / "packs" / name, dirs_exist_ok=True)
        listed = "".join(f"./packs/{name}\n" for name in packs)
        self.server.commit(self.folder, {".buildpacks": listed, **(files or {})})

    def configure(self, **values: str) -> None:
        self.server.ssh(f"apps:create {self.app}")
        pairs = " ".join(f"'{name}={value}'" for name, value in values.items())
        assert self.server.ssh(f"config:set {self.app} {pairs}").returncode == 0

    def build(self, *options: str) -> str:
        """Build without deploying, which must succeed; what the client read."""
        built = self.push("-o", "dry-run", *options)
        assert "built, not deployed" in built.text, built.text
        return printed(built)

    def fail(self) -> str:
        """Build, which must fail; what the client read."""
        built = self.push("-o", "dry-run")
        assert built.code == 1 and "built, not deployed" not in built.text, built.text
        return printed(built)

    def deploy(self) -> str:
        pushed = self.push()
        assert pushed.code == 0, pushed.text
        return printed(pushed)

    def push(self, *options: str) -> Result:
        return self.server.push(self.folder, self.app, *options, "+HEAD:main")

    def run(self, command: str) -> str:
        """What a one-off process of the release prints."""
        done = self.server.ssh(f"run {self.app} -- {command}")
        assert done.returncode == 0, done.stderr
        return done.stdout


def printed(pushed: Result) -> str:
    """The server's lines, without what git puts before and behind them."""
    lines = (line.removeprefix("remote: ").rstrip() for line in pushed.text.splitlines())
    return "\n".join(lines)


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """A web server for a folder that builds can reach; its URL."""
    address = bridge_gateway()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer((address, 0), handler) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://{address}:{serving.server_port}"
        serving.shutdown()
