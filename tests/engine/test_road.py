"""The road, end to end: a push with the real client becomes an app that serves at its hostname."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engine.server import EXAMPLES, Server, until

WEB = """
import http.server, os, sys, signal
VERSION = "one"
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = f"{VERSION} {os.environ.get('GREETING', '-')} {os.environ['DYNO']}".encode()
        print("GET", self.path, flush=True)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
FILES = {"app.py": WEB, "requirements.txt": "", "Procfile": "web: python app.py\nworker: sleep 1000\n"}


def example(folder: Path, name: str) -> Path:
    shutil.copytree(EXAMPLES / name, folder, dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("python-flask", "/", "Hello"),
        ("python-django", "/", "Hello"),
        ("node-express", "/", "Hello"),
        ("static", "/", "<html"),
        ("dockerfile", "/", "Hello"),
        ("worker", "/", "Hello"),
    ],
)
def test_every_example_is_served_after_a_push_over_ssh(
    server: Server, folder: Path, name: str, path: str, expected: str
) -> None:
    server.commit(example(folder, name))
    pushed = server.push(folder, f"x-{name}")
    assert pushed.code == 0, pushed.text
    answer = server.get(f"x-{name}", path)
    assert answer.status == 200 and expected.lower() in answer.body.lower()


@pytest.mark.parametrize("name", ["python-flask", "python-django", "node-express", "static", "dockerfile", "worker"])
def test_every_example_is_served_after_a_push_over_http(server: Server, folder: Path, name: str) -> None:
    server.commit(example(folder, name))
    token = server.ssh(f"tokens:create http-{name}").stdout.strip()
    url = f"http://git:{token}@127.0.0.1:{server.http_port}/h-{name}.git"
    header = f"http.extraHeader=Host: mothership.localhost:{server.http_port}"
    pushed = server.git(folder, "-c", header, "push", url, "main")
    assert pushed.code == 0, pushed.text
    assert server.get(f"h-{name}").status == 200
    cloned = server.git(folder, "-c", header, "clone", "-q", url, "again")
    assert cloned.code == 0, cloned.text
    assert (folder / "again" / "README.md").exists() or list((folder / "again").iterdir())


def test_a_push_says_each_stage_and_where_the_app_serves(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    pushed = server.push(folder, "stages")
    assert pushed.code == 0, pushed.text
    stages = ["Python app detected", "Releasing v1", "Starting web=1", "Serving v1", server.settings.app_url("stages")]
    positions = [pushed.text.find(stage) for stage in stages]
    assert -1 not in positions and positions == sorted(positions), pushed.text
    assert server.services("stages") == ["stages-web-v1"]


def test_a_second_push_replaces_the_first_and_the_old_service_goes(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "second").code == 0
    server.commit(folder, {"app.py": WEB.replace("one", "two")})
    pushed = server.push(folder, "second")
    assert pushed.code == 0, pushed.text
    assert server.get("second").body.startswith("two")
    assert until(lambda: server.services("second") == ["second-web-v2"])
    assert server.ref("second") == server.git(folder, "rev-parse", "HEAD").text.strip()


def test_what_was_pushed_can_be_cloned(server: Server, folder: Path, tmp_path: Path) -> None:
    commit = server.commit(folder, FILES)
    assert server.push(folder, "cloned").code == 0
    assert server.git(tmp_path, "clone", "-q", server.remote("cloned"), "again").code == 0
    assert server.git(tmp_path / "again", "rev-parse", "HEAD").text.strip() == commit


def test_config_set_makes_a_release_that_serves_the_new_value(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "configured").code == 0
    done = server.ssh("config:set configured GREETING='hello there'")
    assert done.returncode == 0, done.stderr
    assert "hello there" in server.get("configured").body
    assert server.ssh("config:get configured GREETING").stdout == "hello there\n"
    assert [release["description"] for release in server.releases("configured")][0] == "Set GREETING"


def test_rollback_restores_image_and_config(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "back").code == 0
    server.commit(folder, {"app.py": WEB.replace("one", "two")})
    assert server.push(folder, "back").code == 0
    assert server.ssh("config:set back GREETING=later").returncode == 0
    done = server.ssh("rollback back v1")
    assert done.returncode == 0, done.stderr
    assert server.get("back").body == "one - web.1"


def test_scaling_runs_more_processes_and_fewer(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "scaled").code == 0
    done = server.ssh("ps:scale scaled web=2 worker=1")
    assert done.returncode == 0, done.stderr
    seen = {server.get("scaled").body.split()[-1] for _ in range(20)}
    assert seen == {"web.1", "web.2"}
    assert "worker.1" in server.ssh("ps scaled").stdout
    assert server.ssh("ps:scale scaled web=0 worker=0").returncode == 0
    assert until(lambda: server.services("scaled") == [])
    answer = server.get("scaled")
    assert answer.status == 503 and "web" in answer.body


def test_an_unknown_hostname_is_a_404_that_says_so(server: Server) -> None:
    answer = server.get("nobody")
    assert answer.status == 404 and "no app" in answer.body


def test_redeploy_builds_the_same_commit_again(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "again").code == 0
    done = server.ssh("redeploy again")
    assert done.returncode == 0, done.stderr
    releases = server.releases("again")
    assert [r["release"] for r in releases] == ["v2", "v1"]


def test_logs_keep_what_an_app_printed_across_releases_and_follow_it(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "logged").code == 0
    server.get("logged", "/first")
    assert until(lambda: "GET /first" in server.ssh("logs logged").stdout)
    assert server.ssh("ps:restart logged").returncode == 0
    assert "GET /first" in server.ssh("logs logged").stdout
    argv = [*server.ssh_argv(), "mothership@127.0.0.1", "logs logged -f"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as following:
        assert following.stdout
        server.get("logged", "/second")
        line = next(line for line in following.stdout if b"/second" in line)
        following.terminate()
    assert b" app[web.1]: GET /second" in line


def test_destroying_an_app_leaves_nothing_of_it(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "doomed").code == 0
    assert server.ssh("apps:destroy doomed").returncode == 1
    assert server.get("doomed").status == 200
    done = server.ssh("apps:destroy doomed --confirm doomed")
    assert done.returncode == 0, done.stderr
    assert until(lambda: server.containers(app="doomed") == [], seconds=30)
    assert server.get("doomed").status == 404
    assert not (server.data / "repos" / "doomed.git").exists()
