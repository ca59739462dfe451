"""Releases, rollback, cancelling, detaching, previews and promotion."""

import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from tests.engine.server import Result, Server, until
from tests.engine.test_faults import begin_push
from tests.engine.test_road import FILES, WEB

SLOW = {**FILES, "bin/pre_compile": "echo the-build-is-slow\nsleep 30\n"}


def ship(server: Server, folder: Path, app: str, word: str = "one") -> str:
    commit = server.commit(folder, {**FILES, "app.py": WEB.replace('"one"', f'"{word}"')})
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text
    return commit


def first_build(server: Server, app: str) -> dict[str, str]:
    return json.loads(server.ssh(f"builds {app} --json").stdout)[0]  # type: ignore[no-any-return]


def test_a_rollback_says_what_differs_and_restores_image_config_and_formation(server: Server, folder: Path) -> None:
    ship(server, folder, "undo", "one")
    assert server.ssh("config:set undo GREETING=hi").returncode == 0
    ship(server, folder, "undo", "two")
    assert server.ssh("config:set undo GREETING=bye EXTRA=1").returncode == 0
    assert server.ssh("ps:scale undo web=2 worker=1").returncode == 0
    shown = server.ssh("rollback undo v2 --dry-run")
    assert shown.returncode == 0
    for text in ("GREETING gets its earlier value", "EXTRA goes", "web 2 -> 1", "worker 1 -> 0", "databases"):
        assert text in shown.stdout, shown.stdout
    assert "bye" not in shown.stdout and server.get("undo").body.startswith("two bye")
    done = server.ssh("rollback undo v2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert server.get("undo").body.startswith("one hi")
    assert server.ssh("config:get undo EXTRA").returncode == 1
    assert until(lambda: server.services("undo") == ["undo-web-v5"], seconds=30)
    described = server.ssh("releases:info undo v5").stdout
    assert "Rollback to v2" in described and "web=1 worker=0" in described and "GREETING" in described


@pytest.mark.parametrize(
    ("version", "expected"),
    [("v99", "no release v99"), ("v2", "is what serves now"), ("v1", "never served"), ("latest", "is not a release")],
)
def test_a_rollback_that_makes_no_sense_is_refused(
    server: Server, tmp_path_factory: pytest.TempPathFactory, version: str, expected: str
) -> None:
    app = "senseless"
    if server.ssh(f"apps:info {app}").returncode:
        folder = tmp_path_factory.mktemp(app)
        server.commit(folder, {**FILES, "app.py": "raise SystemExit(3)"})
        assert server.push(folder, app).code == 1
        ship(server, folder, app)
    done = server.ssh(f"rollback {app} {version}")
    assert done.returncode != 0 and expected in done.stderr, done.stdout + done.stderr


def test_scaling_that_fails_leaves_everything_as_it_was(server: Server, folder: Path) -> None:
    only_first = "import os\nif os.environ['DYNO'] != 'web.1': raise SystemExit(6)\n" + WEB
    server.commit(folder, {**FILES, "app.py": only_first})
    assert server.push(folder, "lonely").code == 0
    done = server.ssh("ps:scale lonely web=3")
    assert done.returncode == 1 and "exit code 6" in done.stdout + done.stderr, done.stdout + done.stderr
    assert "web=1" in server.ssh("releases:info lonely").stdout
    assert until(lambda: len([c for c in server.containers(app="lonely") if c["State"] == "running"]) == 1)
    assert all(server.get("lonely").status == 200 for _ in range(20))


@pytest.mark.parametrize(
    ("words", "expected"),
    [("web=10000", "0 to 100"), ("nothing=1", "no process type"), ("web=-1", "TYPE=N"), ("web", "TYPE=N")],
)
def test_a_scale_that_makes_no_sense_is_refused(
    server: Server, tmp_path_factory: pytest.TempPathFactory, words: str, expected: str
) -> None:
    if server.ssh("apps:info scales").returncode:
        ship(server, tmp_path_factory.mktemp("scales"), "scales")
    done = server.ssh(f"ps:scale scales {words}")
    assert done.returncode != 0 and expected in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("DYNO=web.1", "sets itself"),
        ("PORT=0", "1 to 65535"),
        ("1A=b", "KEY=VALUE"),
        ("A-B=c", "KEY=VALUE"),
        ("A", "KEY=VALUE"),
    ],
)
def test_a_config_var_that_can_not_be_is_refused(
    server: Server, tmp_path_factory: pytest.TempPathFactory, pair: str, expected: str
) -> None:
    if server.ssh("apps:info vars").returncode:
        ship(server, tmp_path_factory.mktemp("vars"), "vars")
    done = server.ssh(f"config:set vars {pair}")
    assert done.returncode != 0 and expected in done.stderr, done.stderr


def test_config_values_arrive_as_they_were_given(server: Server, folder: Path) -> None:
    ship(server, folder, "exact")
    value = "two\nlines 'single' \"double\" $HOME {{.Node.ID}} ünï"
    quoted = "'" + value.replace("'", "'\\''") + "'"
    assert server.ssh(f"config:set exact GREETING={quoted}").returncode == 0
    assert server.get("exact").body.startswith(f"one {value} ")
    assert server.ssh("config:get exact GREETING").stdout == value + "\n"
    large = server.ssh("config:set exact BIG=" + "x" * 100_000)
    assert large.returncode != 0 and "longer than" in large.stderr
    huge = server.ssh(stdin=b"", line="config:set exact BIG=" + "x" * 120_000)
    assert huge.returncode != 0 and "longer than" in huge.stderr


def test_a_detached_push_returns_at_once_and_can_be_followed(server: Server, folder: Path) -> None:
    ship(server, folder, "away")
    commit = server.commit(folder, {**SLOW, "bin/pre_compile": "echo patience; sleep 3\n", "app.py": WEB})
    pushed = server.push(folder, "away", "-o", "detach", "main")
    assert pushed.code == 0 and "builds:output" in pushed.text and "patience" not in pushed.text, pushed.text
    build = first_build(server, "away")
    assert build["status"] == "running" and build["build"] in pushed.text
    followed = server.ssh(f"builds:output away {build['build']} -f")
    assert followed.returncode == 0 and "Serving v2" in followed.stdout, followed.stdout + followed.stderr
    assert server.ref("away") == commit and server.releases("away")[0]["release"] == "v2"


def test_a_detached_push_that_fails_puts_the_branch_back(server: Server, folder: Path) -> None:
    before = ship(server, folder, "undone")
    server.commit(folder, {"app.py": "raise SystemExit(4)"})
    assert server.push(folder, "undone", "-o", "detach", "main").code == 0
    build = first_build(server, "undone")["build"]
    followed = server.ssh(f"builds:output undone {build} -f")
    assert followed.returncode == 1 and "exit code 4" in followed.stdout, followed.stdout
    assert until(lambda: server.ref("undone") == before)
    server.commit(folder, {"app.py": WEB.replace("one", "two")})
    assert server.push(folder, "undone").code == 0
    assert server.get("undone").body.startswith("two")


@pytest.mark.parametrize(
    ("stage", "files"),
    [
        ("the-build-is-slow", SLOW),
        ("Running the release", {**FILES, "Procfile": "web: python app.py\nrelease: sleep 60\n"}),
        ("Starting web=1", {**FILES, "app.py": "import time\ntime.sleep(10)\n" + WEB}),
    ],
    ids=["build", "phase", "boot"],
)
def test_a_deploy_can_be_cancelled_at_every_stage(
    server: Server, tmp_path: Path, stage: str, files: dict[str, str]
) -> None:
    app = f"stop-{stage.split()[0].strip('-').lower()[:8]}".rstrip("-")
    folder = tmp_path / "app"
    folder.mkdir()
    before = ship(server, folder, app)
    server.commit(folder, files)
    pushing = begin_push(server, folder, app, stage)
    build = first_build(server, app)
    done = server.ssh(f"builds:cancel {app} {build['build']}")
    assert done.returncode == 0, done.stderr
    assert pushing.wait(10) == 1
    text = (tmp_path / f"{app}.log").read_text()
    assert "Cancelled by ada" in text and "(cancelled)" in text, text
    assert first_build(server, app)["status"] == "cancelled"
    assert server.ref(app) == before and server.get(app).body.startswith("one")
    assert server.containers(app=app, role="run") == [] and server.containers(app=app, role="build") == []
    assert until(lambda: server.services(app) == [f"{app}-web-v1"])
    again = server.ssh(f"builds:cancel {app} {build['build']}")
    assert again.returncode == 1 and "has ended (cancelled)" in again.stderr, again.stderr


def test_a_newer_push_overtakes_one_that_waits(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    ship(server, folder, "races")
    server.commit(folder, {**SLOW, "bin/pre_compile": "echo the-build-is-slow; sleep 6\n"})
    first = begin_push(server, folder, "races", "the-build-is-slow")
    results: dict[str, Result] = {}

    def push(name: str, branch: str) -> None:
        results[name] = server.push(folder, "races", f"+{branch}:main")

    (folder / "bin" / "pre_compile").unlink()
    for name in ("older", "newer"):
        server.git(folder, "checkout", "-q", "-b", name, "main")
        server.commit(folder, {"app.py": WEB.replace('"one"', f'"{name}"')})
    waiting = threading.Thread(target=push, args=("older", "older"))
    waiting.start()
    time.sleep(1.5)
    push("newer", "newer")
    waiting.join()
    first.wait()
    assert results["older"].code == 1 and "superseded by a newer push" in results["older"].text, results["older"].text
    assert results["newer"].code == 1 and "stale" in results["newer"].text, results["newer"].text


def test_a_preview_has_its_own_address_config_and_end(server: Server, folder: Path) -> None:
    ship(server, folder, "shopfront")
    assert server.ssh("config:set shopfront GREETING=shared").returncode == 0
    assert server.ssh("config:set shopfront TOKEN=hidden --secret").returncode == 0
    server.git(folder, "checkout", "-q", "-b", "feature")
    server.commit(folder, {"app.py": WEB.replace('"one"', '"preview"')})
    pushed = server.push(folder, "shopfront", "feature:preview/try-1")
    assert pushed.code == 0 and "http://try-1--shopfront.localhost" in pushed.text, pushed.text
    assert server.get("try-1--shopfront").body.startswith("preview shared")
    assert server.get("shopfront").body.startswith("one shared")
    assert "TOKEN" not in server.ssh("config try-1--shopfront").stdout
    server.commit(folder, {"app.py": WEB.replace('"one"', '"again"')})
    assert server.push(folder, "shopfront", "feature:preview/try-1").code == 0
    assert server.get("try-1--shopfront").body.startswith("again")
    assert server.ssh("redeploy try-1--shopfront").returncode == 0
    removed = server.push(folder, "shopfront", ":preview/try-1")
    assert removed.code == 0 and "Removed the preview" in removed.text, removed.text
    assert server.get("try-1--shopfront").status == 404
    assert until(lambda: server.services("try-1--shopfront") == [])


@pytest.mark.parametrize("name", ["Try", "a--b", "x", "mothership", "deep/er"])
def test_a_bad_preview_name_is_refused_in_words(
    server: Server, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    folder = tmp_path_factory.mktemp("names")
    if server.ssh("apps:info names").returncode:
        ship(server, folder, "names")
    else:
        server.commit(folder, FILES)
    pushed = server.push(folder, "names", f"main:preview/{name}")
    assert pushed.code == 1 and "can't name a preview" in pushed.text, pushed.text


def test_a_preview_that_fails_leaves_nothing(server: Server, folder: Path) -> None:
    ship(server, folder, "host")
    server.commit(folder, {"app.py": "raise SystemExit(9)"})
    pushed = server.push(folder, "host", "main:preview/bad")
    assert pushed.code == 1 and "exit code 9" in pushed.text, pushed.text
    assert "bad--host" not in server.ssh("apps").stdout
    assert server.get("bad--host").status == 404
    assert server.ref("host", "refs/heads/preview/bad") == ""


def test_an_app_and_a_preview_can_not_take_each_others_name(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    pushed = server.push(folder, "try--shopfront")
    assert pushed.code != 0 and "not an app name" in pushed.text
    assert server.ssh("apps:create try--shopfront").returncode != 0


def test_promotion_ships_the_same_image_with_the_targets_config(server: Server, folder: Path) -> None:
    ship(server, folder, "staging", "ready")
    assert server.ssh("apps:create production").returncode == 0
    assert server.ssh("config:set production GREETING=live").returncode == 0
    done = server.ssh("pipelines:promote staging production")
    assert done.returncode == 0, done.stdout + done.stderr
    assert server.get("production").body.startswith("ready live")
    images = [json.loads(server.ssh(f"apps:info {a} --json").stdout)[0]["image"] for a in ("staging", "production")]
    assert images[0] == images[1]
    assert server.ssh("apps:destroy --app staging --confirm staging").returncode == 0
    assert server.ssh("ps:restart production").returncode == 0
    with sqlite3.connect(server.data / "mothership.db") as store:
        store.execute("UPDATE releases SET image = json_set(image, '$.stack', 'old-stack') WHERE app = 'production'")
    assert server.ssh("apps:create later").returncode == 0
    other = server.ssh("pipelines:promote production later")
    assert other.returncode == 1 and "built on the stack old-stack" in other.stderr, other.stdout + other.stderr
    same = server.ssh("pipelines:promote production production")
    assert same.returncode != 0 and "itself" in same.stderr


def test_ctrl_c_cancels_a_push_within_two_seconds(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    before = ship(server, folder, "ctrlc")
    server.commit(folder, SLOW)
    pushing = begin_push(server, folder, "ctrlc", "the-build-is-slow")
    os.killpg(pushing.pid, signal.SIGINT)
    pushing.wait()
    assert until(lambda: server.containers(app="ctrlc", role="build") == [], seconds=2)
    assert until(lambda: first_build(server, "ctrlc")["status"] == "cancelled", seconds=2)
    assert server.ref("ctrlc") == before
