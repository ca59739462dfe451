"""A deploy that fails is told in the app's own words, and the old release serves on as if nothing had been."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.server import Server, until
from tests.engine.test_road import FILES, WEB

BAD_WEB = {
    "crashes": ("import sys; print('the reason'); sys.exit(3)", ["the reason", "exit code 3", "web crashed on start"]),
    "ends-at-once": ("print('bye')", ["ended at once", "exit code 0"]),
    "never-listens": ("import time; time.sleep(600)", ["did not listen on $PORT", "no port at all"]),
    "wrong-port": (
        "import http.server as h; h.HTTPServer(('0.0.0.0', 3000), h.SimpleHTTPRequestHandler).serve_forever()",
        ["0.0.0.0:3000 instead", "mothership config:set -a failing PORT=3000"],
    ),
    "loopback": (
        "import http.server as h, os; "
        "h.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), h.SimpleHTTPRequestHandler).serve_forever()",
        ["127.0.0.1:5000 instead"],
    ),
    "never-answers": (
        "import os, socket, time\ns = socket.create_server(('0.0.0.0', int(os.environ['PORT'])))\ntime.sleep(600)",
        ["answered no request"],
    ),
    "dies-after-listening": (
        "import os, socket, sys, time\ns = socket.create_server(('0.0.0.0', int(os.environ['PORT'])))\n"
        "time.sleep(2)\nprint('no worker starts')\nsys.exit(3)",
        ["no worker starts", "exit code 3"],
    ),
    "command-missing": (
        "import os; os.execvp('sh', ['sh', '-c', 'nobody-has-this'])",
        ["exit code 127", "not in the image", "web: COMMAND"],
    ),
    "floods": ("import sys\nfor i in range(50000): print('x' * 2000)\nsys.exit(9)", ["exit code 9"]),
    "forks": (
        "import os, time\nprint('forking')\nwhile True:\n    if os.fork() == 0: time.sleep(600)",
        ["web crashed on start"],
    ),
    "takes-10-gb": ("x = bytearray(10 * 2**30)\nprint(len(x))", ["512 MB of memory"]),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership of its own that soon gives up on a process that doesn't listen."""
    with Server(tmp_path_factory.mktemp("strict"), f"msti{worker_id}", boot_timeout=15) as made:
        yield made


@pytest.fixture(scope="module")
def app(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("failing")
    server.commit(folder, FILES)
    pushed = server.push(folder, "failing")
    assert pushed.code == 0, pushed.text
    return folder


@pytest.mark.parametrize("name", list(BAD_WEB))
def test_a_bad_web_process_is_rejected_and_the_old_release_serves_on(server: Server, app: Path, name: str) -> None:
    source, expected = BAD_WEB[name]
    before, services = server.ref("failing"), server.services("failing")
    server.commit(app, {"app.py": source})
    pushed = server.push(app, "failing", "+main")
    assert pushed.code == 1 and "[remote rejected]" in pushed.text, pushed.text
    for text in expected:
        assert text in pushed.text, pushed.text
    assert len(pushed.text) < 100_000
    assert server.ref("failing") == before
    assert server.get("failing").body.startswith("one")
    assert until(lambda: server.services("failing") == services)
    assert server.quarantines() == []


def test_a_failed_first_push_leaves_no_release(server: Server, folder: Path) -> None:
    server.commit(folder, {**FILES, "app.py": "raise SystemExit(5)"})
    pushed = server.push(folder, "firstfail")
    assert pushed.code == 1 and "exit code 5" in pushed.text
    assert server.ref("firstfail") == ""
    assert server.get("firstfail").status == 503
    server.commit(folder, {"app.py": WEB})
    assert server.push(folder, "firstfail").code == 0
    assert server.get("firstfail").status == 200


def test_web_does_not_switch_while_a_worker_of_the_release_cannot_start(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    assert server.push(folder, "pairs").code == 0
    assert server.ssh("ps:scale pairs worker=1").returncode == 0
    server.commit(folder, {"app.py": WEB.replace("one", "two"), "Procfile": "web: python app.py\nworker: false\n"})
    pushed = server.push(folder, "pairs")
    assert pushed.code == 1 and "worker" in pushed.text, pushed.text
    assert server.get("pairs").body.startswith("one")


def test_a_config_change_that_breaks_the_app_changes_nothing(server: Server, folder: Path) -> None:
    source = "import os, sys\nif os.environ.get('GREETING') == 'bad': sys.exit(4)\n" + WEB
    server.commit(folder, {**FILES, "app.py": source})
    assert server.push(folder, "careful").code == 0
    done = server.ssh("config:set careful GREETING=bad")
    assert done.returncode == 1 and "exit code 4" in done.stdout + done.stderr
    assert server.get("careful").body.startswith("one -")
    assert server.ssh("config:get careful GREETING").returncode == 1


@pytest.mark.parametrize(
    ("procfile", "expected"),
    [
        ("web python app.py\n", "Procfile"),
        ("x" * 200_000, "Procfile"),
        ("we b: python app.py\n", "Procfile"),
    ],
)
def test_a_bad_procfile_is_an_error_before_anything_is_built(
    server: Server, folder: Path, procfile: str, expected: str
) -> None:
    server.commit(folder, {**FILES, "Procfile": procfile})
    pushed = server.push(folder, "badproc")
    assert pushed.code == 1 and expected in pushed.text and "Traceback" not in pushed.text
    assert "Installing" not in pushed.text


def test_a_procfile_that_is_a_symlink_is_refused(server: Server, folder: Path) -> None:
    (folder / "Procfile").symlink_to("/etc/passwd")
    server.commit(folder, {"app.py": WEB, "requirements.txt": ""})
    pushed = server.push(folder, "linkproc")
    assert pushed.code == 1 and "symbolic link" in pushed.text and "root:" not in pushed.text


def test_an_app_no_buildpack_knows_is_told_what_was_looked_for(server: Server, folder: Path) -> None:
    server.commit(folder, {"main.cob": "       DISPLAY 'HI'."})
    pushed = server.push(folder, "unknown")
    assert pushed.code == 1
    for text in ("requirements.txt", "package.json", "Dockerfile", "buildpacks"):
        assert text in pushed.text, pushed.text


def test_dry_run_builds_and_releases_nothing(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    pushed = server.push(folder, "dry", "-o", "dry-run", "main")
    assert pushed.code == 1 and "dry run: built, not deployed" in pushed.text
    assert "Python app detected" in pushed.text
    assert server.ref("dry") == "" and server.services("dry") == []


def test_an_unknown_push_option_is_refused_with_the_known_ones(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    pushed = server.push(folder, "options", "-o", "ref=abc", "main")
    assert pushed.code == 1 and "no-cache" in pushed.text and "dry-run" in pushed.text
    assert server.services("options") == []


def test_branches_and_tags_are_stored_and_not_deployed(server: Server, folder: Path) -> None:
    commit = server.commit(folder, FILES)
    pushed = server.push(folder, "stored", "main:feature")
    assert pushed.code == 0 and "feature stored, not deployed" in pushed.text
    assert server.ref("stored", "refs/heads/feature") == commit
    assert server.services("stored") == []


def test_the_deploy_branch_can_not_be_deleted(server: Server, app: Path) -> None:
    pushed = server.push(app, "failing", ":main")
    assert pushed.code == 1 and "the deploy branch can't be deleted" in pushed.text
    assert server.ref("failing")


def test_two_pushes_to_one_app_wait_for_each_other(server: Server, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    server.commit(folders[0], FILES)
    assert server.push(folders[0], "race").code == 0
    server.git(tmp_path, "clone", "-q", server.remote("race"), "b")
    for number, folder in enumerate(folders):
        server.commit(folder, {"app.py": WEB.replace("one", f"push{number}")})
    results = in_parallel(*(lambda f=f: server.push(f, "race") for f in folders))  # type: ignore[misc]
    won = [r for r in results if r.code == 0]
    lost = [r for r in results if r.code != 0]
    assert len(won) == 1 and len(lost) == 1, [r.text for r in results]
    assert "waits for it to finish" in lost[0].text and "stale" in lost[0].text


def in_parallel(*calls: Callable[[], object]) -> list[object]:
    results: dict[int, object] = {}
    threads = [
        threading.Thread(target=lambda i=i, call=call: results.__setitem__(i, call()))  # type: ignore[misc]
        for i, call in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[i] for i in range(len(calls))]


def test_a_port_that_is_written_into_an_app_can_be_routed(server: Server, folder: Path) -> None:
    listens = "import http.server as h; h.HTTPServer(('0.0.0.0', 3000), h.SimpleHTTPRequestHandler).serve_forever()"
    server.commit(folder, {**FILES, "app.py": listens})
    assert server.ssh("apps:create port-3000").returncode == 0
    refused = server.ssh("config:set port-3000 PORT=70000")
    assert refused.returncode != 0 and "1 to 65535" in refused.stderr, refused
    assert server.ssh("config:set port-3000 PORT=3000").returncode == 0
    pushed = server.push(folder, "port-3000")
    assert pushed.code == 0, pushed.text
    assert server.get("port-3000", "/app.py").body == listens
    server.commit(folder, {"app.py": WEB})
    assert server.push(folder, "port-3000").code == 0
    assert server.ssh("config:unset port-3000 PORT").returncode == 0
    assert server.get("port-3000").body.startswith("one")
