"""The SSH door: who comes in, what a command line becomes, and what is not to be had."""

import asyncio
import contextlib
import hashlib
import os
import resource
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from mothership.commands.session import Resize, Session, Signal
from receiver import ssh
from receiver.channel import Channel
from tests.unit.receiver_house import ANN, BOB, House, opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as house:
        yield house


@contextlib.asynccontextmanager
async def connected(house: House, **options: object) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A client that isn't OpenSSH's."""
    keys = {"client_keys": [str(house.path / "ann")], "agent_path": None} | options
    async with asyncssh.connect(
        "127.0.0.1", house.ssh_port, known_hosts=None, config=None, username="x", **keys
    ) as connection:
        yield connection


async def echo(session: Session) -> int:
    while data := await session.read():
        session.write(data)
        await session.drain()
    return 0


async def test_a_command_line_arrives_as_it_was_typed(house: House) -> None:
    line = "run web -- sh -c 'echo \"$HOME\"; rm -rf / && `id` | cat > /x' \\$x *?[a] \N{SNOWMAN}"
    ran = await house.ssh(line)
    assert (ran.code, ran.err) == (2, "no such command\n")
    assert house.commands.lines == [line]


@pytest.mark.parametrize(
    "line",
    [
        "git-receive-pack web; id",
        "git-receive-pack 'web' 'other'",
        "git-upload-pack web && id",
        "git-upload-pack --upload-pack=x web",
        "git-upload-archive web",
        "git-upload-pack 'web",
        "git-shell web",
        "sh -c git-upload-pack",
    ],
)
async def test_what_only_looks_like_git_is_an_unknown_command(house: House, line: str) -> None:
    ran = await house.ssh(line)
    assert ran.code == 2
    assert house.commands.lines == [line]


@pytest.mark.parametrize("line", ["git-upload-pack '/web.git'", "git upload-pack web", 'git-upload-pack "web.git/"'])
async def test_every_way_to_name_an_app_reaches_its_repository(house: House, line: str) -> None:
    await house.pushes.repos.create("web")
    ran = await house.ssh(line, stdin=b"0000")
    assert ran.code == 0
    assert ran.out.endswith(b"0000")
    assert house.commands.lines == []


async def test_a_shell_is_a_greeting_and_the_help(house: House) -> None:
    async def help_(session: Session) -> int:
        session.write(b"the commands\n")
        return 0

    house.commands.verbs["help"] = help_
    ran = await house.ssh()
    assert ran.out == b"Hi ann! This is Mothership: there is no shell here, but these commands.\nthe commands\n"
    assert ran.code == 0
    assert house.commands.lines == ["help"]


@pytest.mark.parametrize("code", [0, 1, 42, 255])
async def test_the_exit_status_is_the_command_s(house: House, code: int) -> None:
    async def leave(session: Session) -> int:
        return code

    house.commands.verbs["leave"] = leave
    assert (await house.ssh("leave")).code == code


async def test_a_bug_of_ours_is_a_reference_and_no_traceback(house: House) -> None:
    async def stumble(session: Session) -> int:
        raise RuntimeError("secret detail")

    house.commands.verbs["stumble"] = stumble
    ran = await house.ssh("stumble")
    assert ran.code == ssh.BUG
    assert "Mothership hit a bug (reference " in ran.err
    assert "secret" not in ran.err


async def test_standard_output_and_error_stay_apart(house: House) -> None:
    async def both(session: Session) -> int:
        session.write(b"out\0\xff\r\n")
        session.write_error(b"err\n")
        return 3

    house.commands.verbs["both"] = both
    ran = await house.ssh("both")
    assert (ran.code, ran.out, ran.err) == (3, b"out\0\xff\r\n", "err\n")


async def test_fifty_megabytes_come_back_byte_for_byte_through_flat_memory(house: House) -> None:
    house.commands.verbs["echo"] = echo
    block = os.urandom(1 << 20)
    sent, heard = hashlib.sha256(), hashlib.sha256()
    client = await house.start(*house.ssh_command, "127.0.0.1", "echo")
    assert client.stdin and client.stdout

    async def send() -> None:
        for number in range(50):
            data = number.to_bytes(4, "big") + block[4:]
            sent.update(data)
            client.stdin.write(data)
            await client.stdin.drain()
        client.stdin.close()

    sending = asyncio.create_task(send())
    before = _memory()
    while data := await client.stdout.read(1 << 18):
        heard.update(data)
    await sending
    assert await client.wait() == 0
    assert heard.hexdigest() == sent.hexdigest()
    assert _memory() - before < 24 << 10


async def test_input_that_nobody_reads_stays_with_the_client(house: House) -> None:
    """Not in our memory: the client's window fills, and what comes later arrives whole."""
    go, digest = asyncio.Event(), hashlib.sha256()

    async def late(session: Session) -> int:
        await go.wait()
        while data := await session.read(1000):
            digest.update(data)
        return 0

    house.commands.verbs["late"] = late
    data = os.urandom(20 << 20)
    before = _memory()
    running = asyncio.create_task(house.ssh("late", stdin=data))
    await asyncio.sleep(0.5)
    grown = _memory() - before
    go.set()
    assert (await running).code == 0
    assert digest.digest() == hashlib.sha256(data).digest()
    assert grown < 24 << 10


async def test_output_that_nobody_reads_stays_with_the_command(house: House) -> None:
    written = [0]

    async def pour(session: Session) -> int:
        while True:
            session.write(bytes(1 << 16))
            written[0] += 1 << 16
            await session.drain()

    house.commands.verbs["pour"] = pour
    # A client with a window of 1 GiB that doesn't read its socket, as PuTTY's may be.
    async with connected(house) as connection:
        chan, _ = await connection.create_session(asyncssh.SSHClientSession, "pour", encoding=None, window=1 << 30)
        connection._transport.pause_reading()
        await asyncio.sleep(0.5)
        poured = written[0]
        await asyncio.sleep(0.2)
        assert written[0] == poured < 32 << 20


async def test_a_client_that_hangs_up_cancels_its_command(house: House) -> None:
    async def forever(session: Session) -> int:
        await asyncio.sleep(60)
        return 0

    house.commands.verbs["forever"] = forever
    client = await house.start(*house.ssh_command, "127.0.0.1", "forever")
    await house.settles(lambda: house.commands.lines)
    client.kill()
    assert await asyncio.wait_for(house.commands.cancelled.wait(), 5)


async def test_a_reader_that_has_enough_ends_the_command(house: House) -> None:
    """`ssh … logs -f | head` must end: OpenSSH then says that nobody reads, and waits for us to hang up."""

    async def talk(session: Session) -> int:
        while True:
            session.write(b"line\n")
            await session.drain()
            await asyncio.sleep(0.01)

    house.commands.verbs["talk"] = talk
    line = " ".join([*house.ssh_command, "127.0.0.1", "talk", "|", "head", "-1"])
    ran = await house.run("bash", "-c", line)
    assert ran.out == b"line\n"
    assert house.commands.cancelled.is_set()


async def test_a_terminal_has_its_size_and_its_changes(house: House) -> None:
    seen: list[object] = []

    async def watch(session: Session) -> int:
        seen.append(session.terminal)
        session.write(b"ready")
        async for event in session.events():
            seen.extend([event, session.terminal])
            return 0
        return 1

    house.commands.verbs["watch"] = watch
    async with connected(house) as connection:
        process = await connection.create_process("watch", term_type="xterm", term_size=(100, 40), encoding=None)
        assert await process.stdout.read(5) == b"ready"
        process.change_terminal_size(120, 50)
        assert (await process.wait()).exit_status == 0
    first, event, second = seen
    assert (first.term, first.columns, first.rows) == ("xterm", 100, 40)
    assert event == Resize(120, 50)
    assert (second.columns, second.rows) == (120, 50)


async def test_openssh_gets_a_terminal_when_it_asks_for_one(house: House) -> None:
    terminals: list[object] = []

    async def look(session: Session) -> int:
        terminals.append(session.terminal)
        return 0

    house.commands.verbs["look"] = look
    await house.ssh("look")
    await house.ssh("look", options=("-tt",))
    assert terminals[0] is None
    assert terminals[1] is not None


async def test_signals_arrive_by_name(house: House) -> None:
    async def wait(session: Session) -> int:
        session.write(b"ready")
        async for event in session.events():
            return 7 if event == Signal("TERM") else 1
        return 1

    house.commands.verbs["wait"] = wait
    async with connected(house) as connection:
        process = await connection.create_process("wait", encoding=None)
        await process.stdout.read(5)
        process.send_signal("TERM")
        assert (await process.wait()).exit_status == 7


async def test_the_command_knows_who_calls_from_where(house: House) -> None:
    seen: list[object] = []

    async def who(session: Session) -> int:
        seen.extend([session.user, session.remote])
        return 0

    house.commands.verbs["who"] = who
    await house.ssh("who")
    assert seen == [ANN, "127.0.0.1"]


async def test_one_connection_runs_ten_commands_at_a_time_and_any_number_in_turn(house: House) -> None:
    house.commands.verbs["echo"] = echo
    async with connected(house) as connection:
        for _ in range(12):
            assert (await connection.run("echo", input="x")).exit_status == 0
        open_ones = [await connection.create_process("echo") for _ in range(10)]
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process("echo")
        open_ones[0].stdin.write_eof()
        await open_ones[0].wait()
        assert (await connection.run("echo", input="x")).exit_status == 0


async def test_an_unknown_key_is_refused(house: House) -> None:
    house.accounts.keys.clear()
    ran = await house.ssh("help")
    assert ran.code == 255
    assert "Permission denied (publickey)" in ran.err
    assert house.commands.lines == []


async def test_a_friend_s_public_key_is_no_key(house: House) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        async with connected(house, client_keys=[thief(house, asyncssh.generate_private_key("ssh-ed25519"))]):
            pass


async def test_whose_key_signed_decides_not_whose_was_offered(house: House) -> None:
    seen: list[object] = []

    async def who(session: Session) -> int:
        seen.append(session.user)
        return 0

    house.commands.verbs["who"] = who
    bob = asyncssh.generate_private_key("ssh-ed25519")
    house.accounts.keys[bob.public_data] = BOB
    async with connected(house, client_keys=[thief(house, bob), bob]) as connection:
        await connection.run("who")
    assert seen == [BOB]


async def test_passwords_are_never_asked_for(house: House) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        async with connected(house, client_keys=None, password="secret"):
            pass
    options = ("-oPubkeyAuthentication=no", "-oPreferredAuthentications=password,keyboard-interactive,none")
    assert "Permission denied (publickey)" in (await house.ssh("help", options=options)).err


async def test_an_agent_with_five_other_keys_still_gets_in(house: House) -> None:
    others = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(5)]
    async with connected(house, client_keys=[*others, str(house.path / "ann")]) as conn:
        assert (await conn.run("help", encoding=None)).exit_status is not None


async def test_a_client_that_tries_key_after_key_is_sent_away(house: House) -> None:
    others = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(8)]
    with pytest.raises(asyncssh.DisconnectError, match="Too many unknown keys"):
        async with connected(house, client_keys=[*others, str(house.path / "ann")]):
            pass


async def test_nothing_is_forwarded(house: House) -> None:
    async with connected(house) as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", house.http_port)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", house.http_port)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection(str(house.settings.data / "run" / "http.sock"))
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
        for subsystem in ("sftp", "netconf"):
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.create_process(subsystem=subsystem)


async def test_agent_and_x11_are_refused_and_the_command_runs_all_the_same(house: House) -> None:
    seen: list[object] = []

    async def look(session: Session) -> int:
        assert isinstance(session, Channel)
        seen.extend([session._chan.get_agent_path(), session._chan.get_x11_display()])
        return 5

    house.commands.verbs["look"] = look
    agent = await house.start("ssh-agent", "-D", "-a", str(house.path / "agent"))
    await house.settles((house.path / "agent").exists)
    env = {"SSH_AUTH_SOCK": str(house.path / "agent"), "DISPLAY": "127.0.0.1:9"}
    ran = await house.run(*house.ssh_command, "-A", "-Y", "-oIdentityAgent=SSH_AUTH_SOCK", "127.0.0.1", "look", env=env)
    agent.terminate()
    assert ran.code == 5
    assert seen == [None, None]


async def test_only_fast_ciphers_and_no_compression(house: House) -> None:
    async with connected(house) as connection:
        assert connection.get_extra_info("send_cipher") in ssh.CIPHERS
        assert connection.get_extra_info("send_compression") == "none"
    with pytest.raises(asyncssh.KeyExchangeFailed):
        async with connected(house, encryption_algs=["chacha20-poly1305@openssh.com"]):
            pass
    with pytest.raises(asyncssh.KeyExchangeFailed):
        async with connected(house, compression_algs=["zlib@openssh.com"]):
            pass


async def test_the_client_s_environment_goes_nowhere_but_git_protocol(house: House) -> None:
    await house.push(await house.clone())
    listing = ("git-upload-pack web",)
    plain = await house.ssh(*listing, stdin=b"0000")
    second = await house.run(
        *house.ssh_command, "-oSendEnv=GIT_PROTOCOL", "127.0.0.1", *listing, env={"GIT_PROTOCOL": "version=2"}
    )
    odd = await house.run(
        *house.ssh_command, "-oSendEnv=GIT_PROTOCOL", "127.0.0.1", *listing, stdin=b"0000",
        env={"GIT_PROTOCOL": "version=2\n$(id)"},
    )  # fmt: skip
    assert b"version 2" not in plain.out
    assert second.out.startswith(b"000eversion 2\n")
    assert odd.out == plain.out


async def test_a_thousand_silent_connections_keep_nobody_out(house: House) -> None:
    house.commands.verbs["echo"] = echo
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    silent = [await asyncio.open_connection("127.0.0.1", house.ssh_port) for _ in range(1000)]
    try:
        async with asyncio.timeout(60):
            assert (await house.ssh("echo", stdin=b"x")).out == b"x"
    finally:
        for _, writer in silent:
            writer.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_silent_connection_is_hung_up_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "GRACE", 0.2)
    other = replace(house.settings, data=house.path / "other")
    server = ssh.SshServer(other, house.accounts, house.pushes, house.commands, host="127.0.0.1")
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await asyncio.wait_for(reader.read(), 5)
    assert reader.at_eof()
    writer.close()
    await server.close()


async def test_the_host_key_is_made_once_and_is_nobody_else_s(house: House) -> None:
    directory = house.settings.data / "ssh"
    first = ssh.host_key(directory)
    assert ssh.host_key(directory).public_data == first.public_data
    assert first.algorithm == b"ssh-ed25519"
    assert stat.S_IMODE((directory / "host_ed25519").stat().st_mode) == 0o600
    async with connected(house) as connection:
        assert connection.get_server_host_key().public_data == first.public_data


async def test_closing_the_server_ends_what_runs(house: House) -> None:
    server = ssh.SshServer(house.settings, house.accounts, house.pushes, house.commands, host="127.0.0.1")
    await server.start()
    house.ssh_port = server.port

    async def forever(session: Session) -> int:
        await asyncio.sleep(60)
        return 0

    house.commands.verbs["forever"] = forever
    client = await house.start(*house.ssh_command, "127.0.0.1", "forever")
    await house.settles(lambda: house.commands.lines)
    await server.close()
    assert house.commands.cancelled.is_set()
    assert await asyncio.wait_for(client.wait(), 5) == 255


def _memory() -> int:
    """Resident memory of this process, the server's, in KiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def thief(house: House, own: asyncssh.SSHKey) -> asyncssh.SSHKeyPair:
    """Offers ann's public key and signs with another one."""
    ann = asyncssh.read_private_key(house.path / "ann").convert_to_public()

    class Thief(asyncssh.SSHKeyPair):
        def sign(self, data: bytes) -> bytes:
            return own.sign(data, b"ssh-ed25519")

    return Thief(ann.algorithm, ann.algorithm, ann.sig_algorithms, ann.sig_algorithms, ann.public_data, None)
