"""Logs that last, with a real daemon: what is in them, following, restarts, floods, and drains."""

import asyncio
import http.client
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.engine.server import Server, until

WEB = """
import http.server, os, sys
broken = []
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        print("GET", self.path, flush=True)
        if self.path == "/burst":
            sys.stdout.writelines(f"burst {number} {'x' * 80}\\n" for number in range(300_000))
            sys.stdout.flush()
        if self.path == "/crash":
            os._exit(3)
        broken.extend([1] if self.path == "/break" else [])
        self.send_response(500 if broken and self.path == "/alive" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
COUNTER = """
import sys, time
number, pace, run = 0, float(sys.argv[1]), time.time_ns()
while True:
    print(f"count {run} {number}", file=sys.stderr if number % 3 == 0 else sys.stdout, flush=True)
    number += 1
    time.sleep(pace)
"""
FLOOD = """
import sys, time
LINES = 2000
began = time.monotonic()
for tenth in range(100):
    sys.stdout.write("".join(f"flood {tenth * LINES + n} {'x' * 80}\\n" for n in range(LINES)))
    sys.stdout.flush()
    time.sleep(max(0, began + (tenth + 1) / 10 - time.monotonic()))
print("flood over", flush=True)
time.sleep(1000)
"""
FILES = {
    "app.py": WEB,
    "count.py": COUNTER,
    "flood.py": FLOOD,
    "requirements.txt": "",
    "Procfile": "web: python app.py\nrelease: echo migrating; echo done\n"
    "counter: python count.py 0.005\nflood: python flood.py\n",
}


@pytest.fixture(scope="module")
def app(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An app that has been pushed."""
    folder = tmp_path_factory.mktemp("logging")
    server.commit(folder, FILES)
    pushed = server.push(folder, "logging")
    assert pushed.code == 0, pushed.text
    return "logging"


def lines(server: Server, app: str, words: str = "-n 100000") -> list[str]:
    done = server.ssh(f"logs {app} {words}")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def texts(found: list[str]) -> list[str]:
    return [line.split(" ", 1)[1] for line in found]


def counted(server: Server, app: str) -> list[tuple[str, int]]:
    """What the counters printed, in the log's order: which run of them, and the number."""
    found = [
        line.split("]: count ")[1].split(" ") for line in lines(server, app, "-n 100000 --ps counter --source app")
    ]
    return [(run, int(number)) for run, number in found]


def serves(server: Server, app: str) -> bool:
    with suppress(OSError, http.client.HTTPException):
        return server.get(app, "/again", timeout=2).status == 200
    return False


@contextmanager
def following(server: Server, words: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = [*server.ssh_argv(), "mothership@127.0.0.1", f"logs {words}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as child:
        try:
            yield child
        finally:
            child.terminate()


def test_the_log_has_the_build_the_release_phase_the_release_and_the_process(server: Server, app: str) -> None:
    assert until(lambda: "State changed from starting to up" in server.ssh(f"logs {app} --ps web").stdout)
    found = texts(lines(server, app))
    expected = [
        "mothership[build]: -----> Python app detected",
        "mothership[api]: Release v1 created by ada: Deploy ",
        "mothership[release]:        migrating",
        "mothership[release]:        done",
        "mothership[api]: Release v1 serves",
    ]
    places = [next(n for n, text in enumerate(found) if text.startswith(each)) for each in expected]
    assert places == sorted(places)
    assert "mothership[web.1]: State changed from starting to up" in found
    assert all(line[26:33] == "+00:00 " and line[10] == "T" for line in lines(server, app))


def test_lines_outlive_releases_and_config_changes_are_said_with_their_author(server: Server, app: str) -> None:
    server.get(app, "/before")
    assert server.ssh(f"config:set {app} GREETING=s3cret").returncode == 0
    server.get(app, "/after")
    assert until(lambda: "GET /after" in server.ssh(f"logs {app}").stdout)
    found = texts(lines(server, app))
    assert "app[web.1]: GET /before" in found and "app[web.1]: GET /after" in found
    assert any(text.endswith(" created by ada: Set GREETING") for text in found)
    assert "s3cret" not in "\n".join(found)


def test_a_crash_and_a_scaling_are_said(server: Server, app: str) -> None:
    with suppress(OSError, http.client.HTTPException):
        server.get(app, "/crash", timeout=2)
    crash = "mothership[web.1]: Process exited with status 3; state changed to crashed"
    assert until(lambda: crash in server.ssh(f"logs {app}").stdout)
    assert until(lambda: serves(server, app))
    assert server.ssh(f"ps:scale {app} counter=1").returncode == 0
    assert any("mothership[api]: Scaled to " in line and "counter=1" in line for line in lines(server, app))
    assert server.ssh(f"ps:scale {app} counter=0").returncode == 0


def test_a_restart_by_a_liveness_check_is_said(server: Server, folder: Path) -> None:
    check = {"type": "liveness", "path": "/alive", "attempts": 2, "wait": 1, "timeout": 2}
    source = {**FILES, "Procfile": "web: python app.py\n", "app.json": json.dumps({"healthchecks": {"web": [check]}})}
    server.commit(folder, source)
    assert server.push(folder, "lively").code == 0
    server.get("lively", "/break")
    said = "mothership[web.1]: The liveness check "
    assert until(lambda: any(text.startswith(said) for text in texts(lines(server, "lively"))))
    assert any(text.endswith("; restarting") for text in texts(lines(server, "lively")))


def test_lines_are_filtered_and_searched(server: Server, app: str) -> None:
    for number in range(3):
        server.get(app, f"/needle/{number}")
    assert until(lambda: server.ssh(f"logs:search {app} GET needle").stdout.count("\n") == 3)
    assert server.ssh(f"logs:search {app} --regex 'needle/[01]' -n 1").stdout.endswith("GET /needle/1\n")
    assert server.ssh(f"logs:search {app} --since 1h nowhere-at-all").returncode == 1
    assert all(" app[web.1]: " in line for line in lines(server, app, "-n 50 --source app --ps web.1"))
    assert lines(server, app, "--since 2999-01-01") == []


def test_a_follower_sees_lines_as_they_come(server: Server, app: str) -> None:
    with following(server, f"{app} -f -n 0 --ps web") as child:
        assert child.stdout
        seen: list[bytes] = []
        reading = threading.Thread(target=lambda: seen.extend(child.stdout or []))
        reading.start()
        assert until(lambda: server.get(app, "/followed").status == 200 and any(b"/followed" in s for s in seen))
        child.terminate()
        reading.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_of_the_daemon_neither_loses_nor_doubles_lines(server: Server, app: str, number: int) -> None:
    assert server.ssh(f"ps:scale {app} counter=1").returncode == 0
    for _ in range(3):
        before = len(counted(server, app))
        assert until(lambda before=before: len(counted(server, app)) > before + 50)
        server.kill(number)
        server.start()
    before = len(counted(server, app))
    assert until(lambda: len(counted(server, app)) > before + 50)
    counts: dict[str, list[int]] = {}
    for run, count in counted(server, app):
        counts.setdefault(run, []).append(count)
    assert max(map(len, counts.values())) > 200
    for found in counts.values():
        assert sorted(found) == list(range(len(found)))
    assert server.ssh(f"ps:scale {app} counter=0").returncode == 0


def test_what_is_gone_when_the_daemon_comes_back_is_said(server: Server, app: str) -> None:
    """The engine keeps 30 MB of a process; this is some 45 MB."""
    server.get(app, "/before")
    assert until(lambda: server.ssh(f"logs:search {app} GET before").returncode == 0)
    server.kill(signal.SIGTERM)
    assert server.get(app, "/burst", timeout=120).status == 200
    server.start()
    assert until(lambda: server.ssh(f"logs:search {app} 'burst 299999 '").returncode == 0, seconds=60)
    said = server.ssh(f"logs:search {app} may be missing here").stdout.splitlines()
    assert len(said) == 1 and "mothership[logs]: lines of web.1 may be missing here" in said[0]
    numbers = [int(line.split("]: burst ")[1].split(" ")[0]) for line in lines(server, app) if "]: burst " in line]
    assert numbers == list(range(numbers[0], 300_000))


def test_a_flood_from_one_app_does_not_hold_up_another(server: Server, app: str, folder: Path) -> None:
    server.commit(folder, {**FILES, "Procfile": "web: python app.py\n"})
    assert server.push(folder, "quiet").code == 0
    assert server.ssh(f"ps:scale {app} flood=1").returncode == 0
    with following(server, "quiet -f -n 0") as child:
        assert child.stdout
        seen: list[bytes] = []
        reading = threading.Thread(target=lambda: seen.extend(child.stdout or []))
        reading.start()
        assert until(lambda: server.get("quiet", "/begin").status == 200 and seen)
        for number in range(20):
            assert server.get("quiet", f"/quiet/{number}").status == 200
            assert until(lambda number=number: any(b"/quiet/%d\n" % number in each for each in seen))
        child.terminate()
        reading.join()
    assert until(lambda: server.ssh(f"logs:search {app} 'flood over'").returncode == 0, seconds=240)
    kept = [line for line in lines(server, app, "-n 100000 --ps flood --source app") if "]: flood " in line]
    numbers = [int(line.split("]: flood ")[1].split(" ")[0]) for line in kept if "over" not in line]
    assert numbers == list(range(numbers[0], 200000))
    assert server.ssh(f"ps:scale {app} flood=0").returncode == 0


def test_a_drain_gets_the_lines_of_its_app(server: Server, app: str) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def receive() -> None:
            connection, _ = listener.accept()
            while data := connection.recv(65536):
                received.append(data)

        threading.Thread(target=receive, daemon=True).start()
        url = f"syslog://127.0.0.1:{listener.getsockname()[1]}"
        assert server.ssh(f"drains:add {app} {url}").returncode == 0
        server.get(app, "/drained")
        assert until(lambda: b" logging app web.1 - - GET /drained\n" in b"".join(received))
        assert url in server.ssh(f"drains {app}").stdout
        assert server.ssh(f"drains:remove {app} {url}").returncode == 0


def test_an_apps_lines_and_drains_go_with_it(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "leaving").code == 0
    assert server.ssh("drains:add leaving http://ada:s3cret@127.0.0.1:9/in").returncode == 0
    path = server.data / "logs" / "apps" / "leaving"
    assert until(lambda: list(path.glob("*.log")))
    assert server.ssh("apps:destroy leaving --confirm leaving").returncode == 0
    assert until(lambda: server.containers(app="leaving") == [], seconds=40)
    assert not path.exists() and "s3cret" not in server.log()
    assert asyncio.run(_nothing_comes_back(path))


async def _nothing_comes_back(path: Path) -> bool:
    await asyncio.sleep(1)
    return not path.exists()
