"""The SSH door: public keys only, git's two services and the command table, no shell, no forwarding."""

import asyncio
import re
import shlex
from pathlib import Path

import asyncssh

from mothership.config import Settings
from mothership.doors import Accounts, Commands, Pushes
from mothership.errors import MothershipError
from mothership.model import User, app_name
from receiver import child, failure, pktline
from receiver.admission import Admission
from receiver.channel import Channel, Valve
from receiver.pack import Packs
from receiver.wire import Call

GRACE = 20
"""Seconds until a client must have logged in."""

TRIES = 6
"""Keys a client may offer on one connection, as with OpenSSH: agents hold several."""

CHANNELS = 10
"""Sessions one connection may have at a time, as with OpenSSH."""

VERSION = "OpenSSH_Mothership"
"""OpenSSH's client tells only servers of this name that nobody reads its output any more (`… logs -f | head`); to
others it goes on to listen for ever. The name stands for what we speak, as browsers' "Mozilla" does."""

CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
PROTOCOL = re.compile(r"[a-z0-9=.:-]{1,64}")
"""What a client's GIT_PROTOCOL may look like (git's `GIT_PROTOCOL`, such as `version=2`)."""

SHELL = "Hi {name}! This is Mothership: there is no shell here, but these commands."

REVOKED = "This key may not come in any more."
LAST_WORDS = 0.2
"""Seconds."""

BUG = 70
"""The exit status of a failure that is ours (sysexits.h, EX_SOFTWARE)."""


class SshServer:
    """Listens on settings.ssh_port (0: any free one, then in `port`) and serves all who log in."""

    def __init__(
        self, settings: Settings, accounts: Accounts, pushes: Pushes, commands: Commands, *, host: str = ""
    ) -> None:
        self.accounts = accounts
        self.admission: Admission[asyncssh.SSHServerConnection] = Admission()
        self.port = settings.ssh_port
        self._settings = settings
        self._host = host
        self._packs = Packs(settings, pushes)
        self._commands = commands
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._marks: dict[asyncssh.SSHServerConnection, str] = {}
        self._tasks: set[asyncio.Task[int]] = set()
        self._acceptor: asyncssh.SSHAcceptor | None = None

    async def start(self) -> None:
        """Begin to listen. Raises OSError when the port is taken."""
        self._acceptor = await asyncssh.listen(
            self._host,
            self.port,
            server_factory=lambda: Connection(self),
            server_host_keys=[host_key(self._settings.data / "ssh")],
            server_version=VERSION,
            encryption_algs=CIPHERS,
            mac_algs=MACS,
            compression_algs=["none"],
            encoding=None,
            line_editor=False,
            login_timeout=GRACE,
            keepalive_interval=15,
            keepalive_count_max=4,
            agent_forwarding=False,
            x11_forwarding=False,
            allow_scp=False,
            gss_host=None,
        )
        self.port = self._acceptor.get_port()

    async def close(self) -> None:
        """Stop listening, hang up on everybody and see what ran for them end."""
        if self._acceptor:
            self._acceptor.close()
        for conn in list(self._connections):
            conn.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def enter(self, conn: asyncssh.SSHServerConnection, address: str) -> None:
        """A connection has come; it may be an older stranger's turn to go."""
        self._connections.add(conn)
        if leaver := self.admission.enter(conn, address):
            leaver.abort()

    def entered(self, conn: asyncssh.SSHServerConnection, mark: str) -> None:
        """Somebody has proved to have the key with this fingerprint."""
        self.admission.leave(conn)
        self._marks[conn] = mark

    def revoked(self, mark: str) -> None:
        """End the connections that came in with a key that is taken away; what they are told last gets through."""
        for conn in [conn for conn, own in self._marks.items() if own == mark]:
            asyncio.get_running_loop().call_later(LAST_WORDS, conn.disconnect, asyncssh.DISC_BY_APPLICATION, REVOKED)

    def leave(self, conn: asyncssh.SSHServerConnection) -> None:
        self.admission.leave(conn)
        self._connections.discard(conn)
        self._marks.pop(conn, None)

    async def serve(self, channel: Channel, line: str | None) -> int:
        """Do what a channel asks for; its exit status."""
        task = asyncio.ensure_future(self._serve(channel, line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await task

    async def _serve(self, channel: Channel, line: str | None) -> int:
        try:
            if line is None:
                return await self._greet(channel)
            if asked := _git_service(line):
                return await self._serve_git(channel, *asked)
            return await self._commands.run(line, channel)
        except ConnectionError:
            return 1
        except MothershipError as error:
            channel.complain(failure.text(error).encode() + b"\n")
            return 1
        except Exception as error:
            channel.complain(failure.text(failure.explained(error, "ssh")).encode() + b"\n")
            return BUG

    async def _greet(self, channel: Channel) -> int:
        line = SHELL.format(name=channel.user.name)
        channel.write(line.encode(errors="replace") + (b"\r\n" if channel.terminal else b"\n"))
        return await self._commands.run("help", channel)

    async def _serve_git(self, channel: Channel, service: str, path: str) -> int:
        try:
            call = Call(service, _app(path), channel.user, _protocol(channel), remote=channel.remote)
            repository = await self._packs.repository(call)
        except Exception as error:
            await channel.send(pktline.error(failure.text(failure.explained(error, "ssh"))))
            return 1
        return await self._packs.serve(call, repository, channel)


class Connection(asyncssh.SSHServer):
    """One client's connection: who it is, from its key alone. The user name it gives means nothing."""

    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._valve = Valve()
        self._candidate: User | None = None
        self._mark = ""
        self._user: User | None = None
        self._strange_keys = 0
        self._channels: list[Channel] = []
        self._remote = ""
        self._conn: asyncssh.SSHServerConnection

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        self._remote = str(conn.get_extra_info("peername", ("",))[0])
        # asyncssh doesn't heed its transport: a client with a huge window (PuTTY's) would fill our memory.
        conn.pause_writing = self._valve.shut  # type: ignore[method-assign]
        conn.resume_writing = self._valve.release  # type: ignore[method-assign]
        self._server.enter(conn, self._remote)

    def connection_lost(self, exc: Exception | None) -> None:
        self._valve.release()
        self._server.leave(self._conn)
        if self._user is None and self._strange_keys:
            self._server.accounts.turned_away(self._remote, "ssh", f"the key {self._mark}")

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return False

    def kbdint_auth_supported(self) -> bool:
        return False

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether somebody owns the key. Asked twice: when it is offered, and with the signature that proves it."""
        self._mark = key.get_fingerprint()
        self._candidate = await self._server.accounts.user_for_key(key.algorithm.decode(), key.public_data)
        if self._candidate is None:
            self._strange_keys += 1
        if self._strange_keys > TRIES:
            raise asyncssh.DisconnectError(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many unknown keys")
        return self._candidate is not None

    def auth_completed(self) -> None:
        # The key that was asked about last is the one whose signature has just been checked.
        self._user = self._candidate
        self._server.entered(self._conn, self._mark)

    def session_requested(self) -> "Channel | bool":
        self._channels = [channel for channel in self._channels if not channel.lost]
        if self._user is None or len(self._channels) >= CHANNELS:
            return False
        self._channels.append(Channel(self._user, self._remote, self._valve, self._server.serve))
        return self._channels[-1]


def host_key(directory: Path) -> asyncssh.SSHKey:
    """The server's ed25519 key, made on the first start, readable by its owner only."""
    path = directory / "host_ed25519"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = asyncssh.generate_private_key("ssh-ed25519", comment="mothership")
        key.write_public_key(path.with_suffix(".pub"))
        scratch = path.with_suffix(".new")
        scratch.touch(mode=0o600)
        key.write_private_key(scratch)
        scratch.rename(path)
    return asyncssh.read_private_key(path)


def _git_service(line: str) -> tuple[str, str] | None:
    """The service and path of a git client's command line, `git-upload-pack 'path'`; None for any other."""
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    if words[:1] == ["git"] and len(words) == 3:
        words = [f"git-{words[1]}", words[2]]
    return (words[0], words[1]) if len(words) == 2 and words[0] in (child.RECEIVE, child.UPLOAD) else None


def _app(path: str) -> str:
    """The app that a repository path names: `APP`, `APP.git`, `/APP.git`. Raises Invalid."""
    return app_name(path.removeprefix("/").removesuffix("/").removesuffix(".git"))


def _protocol(channel: Channel) -> str:
    return channel.protocol if PROTOCOL.fullmatch(channel.protocol) else ""
