"""Health checks and the release phase: what a release must pass, and what becomes of one that doesn't."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engine.server import Server, until
from tests.engine.test_road import FILES

APP = """
import http.server, os, threading, time
started = time.monotonic()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        status, body = 200, f"{os.environ['DYNO']} {os.environ.get('GREETING', '-')} {os.environ['MOTHERSHIP_RELEASE']}"
        if self.path == "/health":
            assert self.headers["X-Check"] == "yes"
            status, body = (200, "fine") if time.monotonic() - started > 2 else (503, "warming up")
        elif self.path == "/moved":
            status = 302
        elif self.path == "/fails":
            status = 500
        elif self.path == "/hangs":
            time.sleep(600)
        elif self.path == "/break":
            open("/tmp/broken", "w").close()
        elif self.path == "/alive" and os.path.exists("/tmp/broken"):
            status = 500
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/fails")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""


def checks(**processes: list[dict[str, Any]]) -> str:
    return json.dumps({"healthchecks": processes})


def files(app_json: str = "{}", procfile: str = FILES["Procfile"]) -> dict[str, str]:
    return {"app.py": APP, "requirements.txt": "", "Procfile": procfile, "app.json": app_json}


HEALTH = {"path": "/health", "content": "fine", "httpHeaders": [{"name": "X-Check", "value": "yes"}]}


def test_a_startup_check_is_waited_for(server: Server, folder: Path) -> None:
    server.commit(folder, files(checks(web=[{**HEALTH, "attempts": 10, "wait": 1}])))
    pushed = server.push(folder, "warm")
    assert pushed.code == 0, pushed.text
    assert server.get("warm").status == 200
    listed = server.ssh("checks warm").stdout
    assert "GET /health" in listed and "keeps running (default)" in listed


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ({"path": "/fails", "attempts": 2, "wait": 0}, "2 times: it answered 500"),
        ({"path": "/hangs", "attempts": 1, "timeout": 1}, "no answer within 1 seconds"),
        ({"path": "/", "content": "nowhere", "attempts": 1}, "its answer has no 'nowhere' in it"),
        ({"path": "/", "port": 9, "attempts": 1}, "nothing answered"),
        ({"command": ["bash", "-c", "echo no luck; exit 3"], "attempts": 1}, "exit code 3, no luck"),
        ({"command": ["no-such-program"], "attempts": 1}, "exit code 127"),
    ],
)
def test_a_release_that_fails_its_startup_check_never_serves(
    server: Server, folder: Path, check: dict[str, Any], why: str
) -> None:
    server.commit(folder, files())
    name = f"unwell-{abs(hash(why)) % 10000}"
    assert server.push(folder, name).code == 0
    server.commit(folder, files(checks(web=[check])))
    pushed = server.push(folder, name)
    assert pushed.code == 1 and why in pushed.text and "(startup check failed)" in pushed.text, pushed.text
    assert server.get(name).body.endswith("v1")
    assert until(lambda: server.services(name) == [f"{name}-web-v1"])


def test_a_redirect_counts_and_a_warning_only_warns(server: Server, folder: Path) -> None:
    moved, warned = {"path": "/moved", "attempts": 1}, {"path": "/fails", "attempts": 1, "warn": True}
    server.commit(folder, files(checks(web=[moved, warned])))
    pushed = server.push(folder, "lenient")
    assert pushed.code == 0 and "Warning: web.1 of lenient failed" in pushed.text, pushed.text


def test_a_worker_is_checked_by_command_and_by_its_uptime(server: Server, folder: Path) -> None:
    worker = [{"command": ["test", "-f", "/tmp/ready"], "attempts": 20, "wait": 1}, {"uptime": 0}]
    procfile = "worker: sleep 1; touch /tmp/ready; sleep 1000\n"
    server.commit(folder, files(checks(worker=worker), procfile))
    assert server.push(folder, "busy").code == 0
    scaled = server.ssh("ps:scale busy worker=1")
    assert scaled.returncode == 0, scaled.stdout


def test_checks_can_be_disabled_and_that_says_what_it_costs(server: Server, folder: Path) -> None:
    server.commit(folder, files(checks(web=[{"path": "/fails", "attempts": 1}])))
    assert server.push(folder, "brave").code == 1
    disabled = server.ssh("checks:disable brave web")
    assert disabled.returncode == 0 and "requests can fail" in disabled.stdout
    pushed = server.push(folder, "brave")
    assert pushed.code == 0, pushed.text
    assert until(lambda: server.get("brave").status == 200)
    assert server.ssh("checks:enable brave").returncode == 0
    assert server.ssh("redeploy brave").returncode == 1


def test_a_replica_that_is_not_ready_leaves_the_rotation_and_comes_back(server: Server, folder: Path) -> None:
    readiness = {"type": "readiness", "path": "/alive", "attempts": 2, "wait": 1}
    server.commit(folder, files(checks(web=[readiness])))
    assert server.push(folder, "rota").code == 0
    assert server.ssh("ps:scale rota web=2").returncode == 0
    broken = server.get("rota", "/break").body.split()[0]
    others = {"web.1", "web.2"} - {broken}

    def served() -> set[str]:
        return {server.get("rota").body.split()[0] for _ in range(8)}

    assert until(lambda: served() == others), server.log()[-3000:]
    number = broken.partition(".")[2]
    container = next(
        c for c in server.containers(app="rota", process="web") if str(c["Names"]).find(f"web-v1.{number}.") > 0
    )
    server.execute(str(container["Id"]), "rm", "/tmp/broken")
    assert until(lambda: served() == {"web.1", "web.2"})


def test_a_process_that_is_not_alive_is_restarted(server: Server, folder: Path) -> None:
    liveness = {"type": "liveness", "path": "/alive", "attempts": 2, "wait": 1, "timeout": 2}
    server.commit(folder, files(checks(web=[liveness])))
    assert server.push(folder, "dead").code == 0
    first = {str(c["Id"]) for c in server.containers(app="dead", process="web")}
    server.get("dead", "/break")
    assert until(lambda: not first & {str(c["Id"]) for c in server.containers(app="dead") if c["State"] == "running"})
    assert until(lambda: server.get("dead", "/alive").status == 200)


# the release phase


def test_the_release_phase_runs_before_anything_starts_and_its_exit_code_decides(server: Server, folder: Path) -> None:
    scripts = {"scripts": {"dokku": {"predeploy": "echo predeploy"}, "postdeploy": "echo postdeploy"}}
    procfile = 'web: python app.py\nrelease: echo "migrating for $GREETING"; test "$GREETING" != bad\n'
    server.commit(folder, files(json.dumps(scripts), procfile))
    pushed = server.push(folder, "phased")
    assert pushed.code == 0, pushed.text
    order = ["predeploy", "migrating for", "Starting web=1", "postdeploy", "Serving v1"]
    places = [pushed.text.index(text) for text in order]
    assert places == sorted(places)
    done = server.ssh("config:set phased GREETING=bad")
    assert done.returncode == 1 and "migrating for bad" in done.stdout, done.stdout + done.stderr
    assert "The release command of phased failed with exit code 1" in done.stderr
    assert server.get("phased").body.endswith("- v1") and server.ssh("config:get phased GREETING").returncode == 1
    skipped = server.ssh("config:set phased GREETING=bad --skip-release")
    assert skipped.returncode == 0 and "migrating" not in skipped.stdout, skipped.stdout + skipped.stderr
    assert server.get("phased").body.endswith("bad v3")
    rolled = server.ssh("rollback phased v1")
    assert rolled.returncode == 0 and "migrating for" in rolled.stdout, rolled.stdout + rolled.stderr
    assert server.get("phased").body.endswith("- v4")
    assert server.containers(app="phased", role="run") == []


def test_a_release_command_that_hangs_floods_or_reads_is_held(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, worker_id: str
) -> None:
    server = Server(tmp_path_factory.mktemp("phases"), f"mstp{worker_id}", release_time=8)
    try:
        server.start()
        server.commit(folder, {**FILES, "Procfile": "web: python app.py\nrelease: sleep 600\n"})
        pushed = server.push(folder, "hangs")
        assert pushed.code == 1 and "not done within 8 seconds" in pushed.text, pushed.text
        assert server.containers(role="run") == []
        reads = "web: python app.py\nrelease: cat; echo read nothing\n"
        server.commit(folder, {"Procfile": reads})
        pushed = server.push(folder, "hangs")
        assert pushed.code == 0 and "read nothing" in pushed.text, pushed.text
        floods = "web: python app.py\nrelease: head -c 50000000 /dev/zero | tr '\\0' x | fold -w 2000; echo flooded\n"
        server.commit(folder, {"Procfile": floods})
        pushed = server.push(folder, "hangs")
        assert pushed.code == 0, pushed.text[-1000:]
    finally:
        server.destroy()


def test_only_the_owner_or_an_admin_skips_the_release_phase(server: Server, folder: Path) -> None:
    server.commit(folder, files(procfile="web: python app.py\nrelease: echo phase\n"))
    assert server.push(folder, "guarded").code == 0
    other = server.add_user(f"eve{time.time_ns() % 100000}")
    assert server.ssh(f"access:add guarded {other.name.removeprefix('key-')}").returncode == 0
    server.commit(folder, {"note": "x"})
    refused = server.push(folder, "guarded", "-o", "skip-release", "main", key=other)
    assert refused.code == 1 and "Only the owner of guarded" in refused.text, refused.text
    pushed = server.push(folder, "guarded", "-o", "skip-release", "main")
    assert pushed.code == 0 and "Running the release command" not in pushed.text, pushed.text
