"""`run`: a one-off container with the release's image and config, and the command's own exit code."""

import hashlib
import os
import pty
import subprocess
import time

import pytest

from tests.engine.server import Server, until
from tests.engine.test_road import FILES


@pytest.fixture(scope="module")
def app(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    server.commit(folder, {**FILES, "jobs.sh": "exit 3\n"})
    pushed = server.push(folder, "runner")
    assert pushed.code == 0, pushed.text
    assert server.ssh("config:set runner GREETING=hi").returncode == 0
    return "runner"


def test_the_exit_code_is_the_commands_own(server: Server, app: str) -> None:
    assert server.ssh(f"run {app} -- bash jobs.sh").returncode == 3
    assert server.ssh(f"run {app} -- true").returncode == 0
    assert server.ssh(f"run {app} -- 'kill -9 $$'").returncode == 137
    assert server.ssh(f"run {app} -- no-such-command").returncode == 127


def test_it_has_the_releases_config_and_code(server: Server, app: str) -> None:
    done = server.ssh(f"run {app} -- 'echo $GREETING $MOTHERSHIP_RELEASE; ls; id -u'")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["hi", "v2"] and "app.py" in done.stdout


def test_words_are_not_read_by_a_shell(server: Server, app: str) -> None:
    done = server.ssh(f"run {app} -- echo '$HOME; ls' '*'")
    assert done.stdout == "$HOME; ls *\n"


def test_bytes_go_through_as_they_are(server: Server, app: str) -> None:
    data = os.urandom(3_000_000)
    argv = [*server.ssh_argv(), "mothership@127.0.0.1", f"run {app} -- cat"]
    done = subprocess.run(argv, input=data, capture_output=True, timeout=60, check=True)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


def test_output_and_errors_stay_apart(server: Server, app: str) -> None:
    done = server.ssh(f"run {app} -- 'echo out; echo err >&2'")
    assert (done.stdout, done.stderr) == ("out\n", "err\n")


def test_a_terminal_is_a_terminal_of_the_callers_size(server: Server, app: str) -> None:
    main, other = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    argv = [*server.ssh_argv(options=("-tt",)), "mothership@127.0.0.1", f"run {app} -- 'tty; sleep 0.3; stty size'"]
    with subprocess.Popen(argv, stdin=other, stdout=subprocess.PIPE) as terminal:
        assert terminal.stdout
        text = terminal.stdout.read().decode()
    os.close(main)
    os.close(other)
    assert "/dev/" in text and "33 99" in text


def test_nothing_is_left_when_it_ends_or_when_the_client_vanishes(server: Server, app: str) -> None:
    server.ssh(f"run {app} -- true")
    assert until(lambda: server.containers(role="run") == [])
    argv = [*server.ssh_argv(), "mothership@127.0.0.1", f"run {app} -- sleep 300"]
    client = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    assert until(lambda: len(server.containers(role="run")) == 1)
    time.sleep(0.5)
    client.kill()
    client.wait()
    assert until(lambda: server.containers(role="run") == [], seconds=10)


def test_a_detached_command_goes_on_without_its_caller_and_the_daemon(server: Server, app: str) -> None:
    started = server.ssh(
        f"run:detached {app} -- sh -c 'for i in 1 2 3 4 5 6 7 8; do echo tick-$i; sleep 1; done; exit 3'"
    )
    assert started.returncode == 0, started.stderr
    name = started.stdout.split()[2].rstrip(".")
    assert name.startswith("run.")
    assert until(lambda: "tick-1" in server.ssh(f"logs {app} --ps {name}").stdout)
    server.kill()
    server.start()
    assert until(lambda: "exited with status 3" in server.ssh(f"logs {app} -n 1000").stdout, seconds=30)
    lines = server.ssh(f"logs {app} --ps {name} -n 1000").stdout
    assert [lines.count(f": tick-{i}") for i in range(1, 9)] == [1] * 8, lines
    assert until(lambda: server.containers(role="run-detached") == [])
