"""The launcher as PID 1 of real containers."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder.stack import ensure, launcher
from builder.stack.plan import run_image
from mothership.config import Settings
from mothership.engine import Bind, ContainerSpec, Engine, Stream
from mothership.output import Output

LABELS = {"mothership.instance": "test-launcher"}


@dataclass
class Launched:
    """A container whose PID 1 is the launcher, and what it prints."""

    engine: Engine
    id: str
    stream: Stream

    async def printed(self) -> str:
        return b"".join([data async for _, data in self.stream.chunks()]).decode().replace("\r\n", "\n")

    async def until(self, text: str) -> str:
        """Read until the container has printed `text`."""
        seen = ""
        async with asyncio.timeout(20):
            async for _, data in self.stream.chunks():
                seen += data.decode()
                if text in seen:
                    return seen
        raise AssertionError(f"{text!r} never came; the container printed {seen!r}")

    async def code(self) -> int:
        async with asyncio.timeout(20):
            return await self.engine.wait(self.id)

    async def send(self, name: str) -> None:
        await self.engine.kill(self.id, name)

    async def top(self) -> list[str]:
        """The commands running inside, PID 1 first."""
        table = await self.engine.call(lambda api: api.top(self.id, "-eo pid,stat,args"))
        return [" ".join(row[1:]) for row in table["Processes"]]


class Launch:
    """Starts containers with the launcher; `app` is the directory that is their /app."""

    def __init__(self, engine: Engine, binary: Path, image: str, app: Path) -> None:
        self._engine, self._binary, self._image, self.app = engine, binary, image, app

    @contextlib.asynccontextmanager
    async def __call__(
        self, *command: str, env: Mapping[str, str] | None = None, tty: bool = False, nnp: bool = False
    ) -> AsyncIterator[Launched]:
        spec = ContainerSpec(
            image=self._image,
            entrypoint=("/mothership/launcher",),
            command=command,
            env=env or {},
            labels=LABELS,
            network="none",
            binds=(Bind(str(self._binary), "/mothership/launcher", True), Bind(str(self.app), "/app", True)),
            tty=tty,
            stdin=tty,
            no_new_privileges=nnp,
        )
        async with self._engine.container(spec) as container:
            stream = await self._engine.attach(container, tty=tty, stdin=tty)
            try:
                await self._engine.start(container)
                yield Launched(self._engine, container, stream)
            finally:
                stream.close()

    async def result(self, *command: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
        """The exit code of a command and what it printed."""
        async with self(*command, env=env) as running:
            return await running.code(), await running.printed()


@pytest.fixture
async def launch(tmp_path: Path) -> Launch:
    settings = Settings(data=tmp_path / "data", instance="test-launcher")
    engine = Engine()
    await ensure(settings, engine, Output(print))
    app = tmp_path / "app"
    app.mkdir()
    return Launch(engine, await launcher(settings, engine), run_image(settings.stack), app)


async def test_the_commands_own_exit_code_is_the_containers(launch: Launch) -> None:
    assert await launch.result("sh", "echo out; exit 7") == (7, "out\n")


async def test_a_command_ended_by_a_signal_gives_128_and_the_signal(launch: Launch) -> None:
    assert (await launch.result("sh", "kill -KILL $$"))[0] == 128 + signal.SIGKILL


async def test_a_command_that_does_not_exist_gives_127_and_says_so(launch: Launch) -> None:
    code, printed = await launch.result("exec", "gunicorn", "app:app")
    assert (code, printed) == (127, "mothership: cannot run gunicorn: No such file or directory\n")


async def test_a_command_that_cannot_be_run_gives_126_and_says_so(launch: Launch) -> None:
    assert await launch.result("exec", "/etc/hosts") == (126, "mothership: cannot run /etc/hosts: Permission denied\n")


@pytest.mark.parametrize("words", [(), ("app",), ("app", "a", "b"), ("sh", "a", "b"), ("exec",), ("shell", "ls")])
async def test_wrong_usage_gives_125(launch: Launch, words: tuple[str, ...]) -> None:
    code, printed = await launch.result(*words)
    assert code == 125
    assert printed.startswith("mothership: usage: launcher app COMMAND")


async def test_exec_keeps_every_word_as_it_is(launch: Launch) -> None:
    code, printed = await launch.result("exec", "printf", "[%s]", "a b", "$HOME", "*", "")
    assert (code, printed) == (0, "[a b][$HOME][*][]")


async def test_profile_scripts_run_in_order_before_the_command_in_the_apps_home(launch: Launch) -> None:
    scripts = launch.app / ".profile.d"
    scripts.mkdir()
    (scripts / "20-second.sh").write_text('declare -x ORDER="$ORDER second"')
    (scripts / "10-first.sh").write_text('export ORDER="first args:$#"')
    (scripts / "ignored.txt").write_text("export ORDER=wrong")
    (launch.app / ".profile").write_text('export ORDER="$ORDER profile"')
    command = 'echo "$ORDER, $HOME, $PWD, $((1 + 1))"'
    assert await launch.result("app", command) == (0, "first args:0 second profile, /app, /app, 2\n")
    words = ("apprun", "printf", "[%s]", "a b", "$HOME")
    assert await launch.result(*words) == (0, "[a b][$HOME]")


async def test_a_command_found_only_through_the_profiles_path_runs(launch: Launch) -> None:
    (launch.app / "bin").mkdir()
    tool = launch.app / "bin" / "tool"
    tool.write_text("#!/bin/sh\necho tool $1")
    tool.chmod(0o755)
    (launch.app / ".profile").write_text("PATH=/app/bin:$PATH")
    assert await launch.result("apprun", "tool", "here") == (0, "tool here\n")


async def test_sh_keeps_the_images_working_directory_and_home(launch: Launch) -> None:
    assert await launch.result("sh", "echo $PWD $HOME") == (0, "/ /root\n")


async def test_orphans_are_reaped(launch: Launch) -> None:
    orphans = "for i in 1 2 3 4 5; do (sleep 0.05 & ) ; done; sleep 0.4; echo ready; exec sleep 60"
    async with launch("sh", orphans) as running:
        await running.until("ready")
        commands = await running.top()
    assert len(commands) == 2, commands
    assert not [command for command in commands if command.startswith("Z")]


async def test_signals_reach_the_whole_group(launch: Launch) -> None:
    member = "trap 'echo {0}; exit 3' TERM; echo ready; while :; do sleep 0.02; done"
    parent = "(%s) & child=$!; trap 'wait $child; echo parent; exit 3' TERM; while :; do sleep 0.02; done"
    async with launch("sh", parent % member.format("child")) as running:
        await running.until("ready")
        await running.send("TERM")
        assert await running.code() == 3
        lines = (await running.printed()).splitlines()
        assert [line for line in lines if line != "Terminated"] == ["child", "parent"]


async def test_each_kind_of_signal_is_passed_on(launch: Launch) -> None:
    script = "; ".join(f"trap 'echo {name}' {name}" for name in ("HUP", "INT", "QUIT", "USR1", "USR2", "WINCH"))
    async with launch("sh", f"{script}; echo ready; while :; do sleep 0.02; done") as running:
        await running.until("ready")
        for name in ("HUP", "INT", "QUIT", "USR1", "USR2", "WINCH"):
            await running.send(name)
            assert name in (await running.until(name)).split()


async def test_without_a_drain_sigterm_is_passed_on_at_once(launch: Launch) -> None:
    assert await _seconds_to_end(launch, {}) < 1.5


async def test_a_drain_lasts_two_seconds_even_if_nobody_is_connected(launch: Launch) -> None:
    assert 2.0 <= await _seconds_to_end(launch, {"MOTHERSHIP_DRAIN": "2"}) < 4


@pytest.mark.parametrize("name", ["TERM", "USR2"])
async def test_a_second_signal_ends_the_drain(launch: Launch, name: str) -> None:
    assert await _seconds_to_end(launch, {"MOTHERSHIP_DRAIN": "15"}, name) < 1.9


async def test_the_drain_lasts_while_somebody_is_connected_and_no_longer(launch: Launch) -> None:
    serve = (
        "import signal, socket, sys, threading, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('passed on', flush=True), sys.exit(9)))\n"
        "server = socket.create_server(('', 7000))\n"
        "client = socket.create_connection(('127.0.0.1', 7000))\n"
        "peer, _ = server.accept()\n"
        "print('ready', flush=True)\n"
        "time.sleep(4)\n"
        "print('hanging up', flush=True)\n"
        "client.close(), peer.close()\n"
        "time.sleep(60)"
    )
    async with launch("exec", "python3", "-c", serve, env={"MOTHERSHIP_DRAIN": "50", "PORT": "7000"}) as running:
        await running.until("ready")
        await running.send("TERM")
        await running.until("hanging up")
        await running.until("passed on")
        assert await running.code() == 9


async def test_other_signals_pass_during_the_drain_and_it_goes_on(launch: Launch) -> None:
    command = "trap 'echo usr1' USR1; trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done"
    async with launch("sh", command, env={"MOTHERSHIP_DRAIN": "1"}) as running:
        await running.until("ready")
        started = time.monotonic()
        await running.send("TERM")
        await running.send("USR1")
        await running.until("usr1")
        assert await running.code() == 9
        assert time.monotonic() - started >= 1


async def test_a_command_that_ends_by_itself_during_the_drain_ends_the_container(launch: Launch) -> None:
    async with launch("sh", "echo ready; sleep 0.5; exit 4", env={"MOTHERSHIP_DRAIN": "30"}) as running:
        await running.until("ready")
        await running.send("TERM")
        assert await running.code() == 4


async def test_the_command_does_not_see_the_drain_setting(launch: Launch) -> None:
    assert await launch.result("sh", "echo [$MOTHERSHIP_DRAIN]", env={"MOTHERSHIP_DRAIN": "5"}) == (0, "[]\n")


async def test_a_terminals_interrupt_goes_to_the_command(launch: Launch) -> None:
    command = "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.05; done"
    async with launch("sh", command, tty=True) as running:
        await running.until("ready")
        await running.stream.write(b"\x03")
        await running.until("interrupted")
        assert await running.code() == 5


async def test_the_command_may_read_its_terminal(launch: Launch) -> None:
    async with launch("sh", 'echo ready; read line; echo "line: $line"', tty=True) as running:
        await running.until("ready")
        await running.stream.write(b"hello\n")
        await running.until("line: hello")
        assert await running.code() == 0


async def test_no_new_privileges_is_set_whatever_the_engine_was_told(launch: Launch) -> None:
    assert await launch.result("sh", "grep NoNewPrivs /proc/self/status") == (0, "NoNewPrivs:\t1\n")


async def _seconds_to_end(launch: Launch, env: Mapping[str, str], *further: str) -> float:
    """How long a command that ends on SIGTERM lives after it."""
    command = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done"
    async with launch("sh", command, env=env) as running:
        await running.until("ready")
        started = time.monotonic()
        for name in ("TERM", *further):
            await running.send(name)
        assert await running.code() == 9
        return time.monotonic() - started
