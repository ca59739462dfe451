"""A whole receiver on loopback, with real doors and a recipe that each test writes for itself."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncssh

from mothership.commands.session import Session
from mothership.config import Settings
from mothership.errors import Conflict, Invalid, Refused
from mothership.model import Push, User
from mothership.output import Output
from mothership.repos import Repos
from receiver import http, ssh

ANN = User(1, "ann", admin=True)
BOB = User(2, "bob")
TOKEN = "t0ken-of-ann"
Recipe = Callable[[Push, Output], Awaitable[None]]
Verb = Callable[[Session], Awaitable[int]]


@dataclass
class Keys:
    """Accounts: the owners of keys and tokens."""

    keys: dict[bytes, User] = field(default_factory=dict)
    tokens: dict[str, User] = field(default_factory=lambda: {TOKEN: ANN})
    strangers: list[tuple[str, str, str]] = field(default_factory=list)

    async def user_for_key(self, algorithm: str, data: bytes) -> User | None:
        return self.keys.get(data)

    def turned_away(self, remote: str, door: str, what: str) -> None:
        self.strangers.append((remote, door, what))

    async def user_for_token(self, token: str) -> User | None:
        return self.tokens.get(token)


class Recipes:
    """Pushes: the repositories, the push lock and the check for stale refs are real, the recipe is the test's."""

    def __init__(self, repos: Repos) -> None:
        self.repos = repos
        self.pushes: list[Push] = []
        self.left: list[str] = []
        self.cancelled = asyncio.Event()
        self.entered = asyncio.Event()
        self.recipe: Recipe = _nothing
        self._locks: dict[str, asyncio.Lock] = {}

    async def repository(self, app: str, user: User, *, write: bool) -> Path:
        if not (self.repos.path(app) / "HEAD").exists() and not (write and user.admin):
            raise Refused(f"{user.name} may not create the app {app}.", "Ask an admin for it.")
        return await self.repos.create(app)

    @contextlib.asynccontextmanager
    async def receive(self, push: Push, out: Output) -> AsyncIterator[None]:
        async with self._locks.setdefault(push.app, asyncio.Lock()):
            self._refuse_stale(push)
            self.pushes.append(push)
            self.entered.set()
            try:
                await self.recipe(push, out)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
            try:
                yield
            except Conflict as error:
                self.left.append(error.message)
                raise
            self.left.append("")

    def nothing_new(self, app: str, out: Output) -> None:
        out.step(f"{app} has all of that")

    def _refuse_stale(self, push: Push) -> None:
        for update in push.updates:
            if self.repos.ref(push.app, update.ref) != (update.old if update.old.strip("0") else ""):
                raise Conflict(f"{update.ref} has moved meanwhile.", "Fetch, and push again.", reason="fetch first")


async def _nothing(push: Push, out: Output) -> None:
    out.step("Nothing to do")


class Table:
    """Commands: what each test puts in."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.verbs: dict[str, Verb] = {}
        self.cancelled = asyncio.Event()

    async def run(self, line: str, session: Session) -> int:
        self.lines.append(line)
        try:
            verb = self.verbs.get(line.split(" ")[0], _unknown)
            return await verb(session)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


async def _unknown(session: Session) -> int:
    session.write_error(b"no such command\n")
    return 2


@dataclass(frozen=True)
class Ran:
    """How a client's process ended."""

    code: int
    out: bytes
    err: str


@dataclass
class House:
    """The doors, what is behind them, and clients to call on them."""

    path: Path
    settings: Settings
    accounts: Keys
    pushes: Recipes
    commands: Table
    ssh_port: int = 0
    http_port: int = 0
    stranger: User = BOB

    @property
    def ssh_command(self) -> list[str]:
        """An OpenSSH client that knows ann's key and nothing of this machine's configuration."""
        options = [
            "-oStrictHostKeyChecking=no",
            "-oUserKnownHostsFile=/dev/null",
            "-oLogLevel=ERROR",
            "-oBatchMode=yes",
        ]
        key = ["-oIdentitiesOnly=yes", "-oIdentityAgent=none", f"-i{self.path / 'ann'}"]
        return ["ssh", "-F/dev/null", *options, *key, "-p", str(self.ssh_port)]

    @property
    def environment(self) -> dict[str, str]:
        """A git client without the tester's own configuration."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_SSH_COMMAND": " ".join(self.ssh_command),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Ann",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.org",
        }

    def ssh_url(self, app: str) -> str:
        return f"ssh://anyone@127.0.0.1:{self.ssh_port}/{app}"

    def http_url(self, app: str, token: str = TOKEN) -> str:
        return f"http://any:{token}@127.0.0.1:{self.http_port}/{app}.git"

    def url(self, door: str, app: str) -> str:
        return self.ssh_url(app) if door == "ssh" else self.http_url(app)

    async def start(
        self, *argv: str, cwd: Path | None = None, env: Mapping[str, str] = {}
    ) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *argv, cwd=cwd or self.path, env=self.environment | dict(env), stdin=pipe, stdout=pipe, stderr=pipe,
            start_new_session=True, limit=1 << 20,
        )  # fmt: skip

    async def run(self, *argv: str, cwd: Path | None = None, stdin: bytes = b"", env: Mapping[str, str] = {}) -> Ran:
        child = await self.start(*argv, cwd=cwd, env=env)
        out, err = await asyncio.wait_for(child.communicate(stdin), 30)
        return Ran(child.returncode or 0, out, err.decode(errors="replace"))

    async def git(self, *argv: str, cwd: Path | None = None, stdin: bytes = b"") -> str:
        """Run git where it has to succeed; what it printed."""
        ran = await self.run("git", *argv, cwd=cwd, stdin=stdin)
        assert ran.code == 0, ran.err
        return ran.out.decode().strip()

    async def ssh(self, *words: str, stdin: bytes = b"", options: tuple[str, ...] = ()) -> Ran:
        return await self.run(*self.ssh_command, *options, "127.0.0.1", *words, stdin=stdin)

    async def clone(self, name: str = "work", *options: str) -> Path:
        """A fresh repository with one commit."""
        work = self.path / name
        await self.git("init", "-q", "-b", "main", *options, str(work))
        (work / "app.py").write_text("print('hello')\n")
        await self.commit(work, "first")
        return work

    async def commit(self, work: Path, message: str) -> str:
        await self.git("add", "-A", cwd=work)
        await self.git("commit", "-q", "--allow-empty", "-m", message, cwd=work)
        return await self.git("rev-parse", "HEAD", cwd=work)

    async def push(self, work: Path, door: str = "ssh", app: str = "web", *words: str) -> Ran:
        return await self.run("git", "push", *(words or ("-q",)), self.url(door, app), "main", cwd=work)

    def ref(self, app: str = "web", name: str = "refs/heads/main") -> str:
        return self.pushes.repos.ref(app, name)

    def quarantines(self, app: str = "web") -> list[Path]:
        return list((self.pushes.repos.path(app) / "objects").glob("tmp_objdir-incoming-*"))

    def children(self) -> list[str]:
        """The git processes that this test's server still has."""
        mine = str(self.settings.data).encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                line = path.read_bytes()
                if mine in line and b"pack" in line:
                    found.append(line.decode().replace("\0", " "))
        return found

    async def settles(self, what: Callable[[], object], seconds: float = 10) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not what():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def opened(path: Path, **settings: object) -> AsyncIterator[House]:
    """Open a house; everything in it is gone afterwards."""
    data = path / "data"
    values = replace(Settings(data=data, ssh_port=0), **settings)  # type: ignore[arg-type]
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(path / "ann")
    (path / "ann").chmod(0o600)
    house = House(path, values, Keys({key.public_data: ANN}), Recipes(Repos(data)), Table())
    app = http.application(values, house.accounts, house.pushes)
    socket = data / "run" / "http.sock"
    server = ssh.SshServer(values, house.accounts, house.pushes, house.commands, host="127.0.0.1")
    await server.start()
    house.ssh_port = server.port
    try:
        async with http.serving(app, socket), _forwarded(socket) as house.http_port:
            yield house
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def _forwarded(path: Path) -> AsyncIterator[int]:
    """A port on loopback for the unix socket, in the proxy's place."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(str(path))
        ways = {asyncio.ensure_future(_copy(reader, up_writer)), asyncio.ensure_future(_copy(up_reader, writer))}
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, up_writer):
            end.close()
        await asyncio.wait(ways)

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


def invalid(message: str) -> Invalid:
    return Invalid(message, "Do it differently.", reason="no good")
