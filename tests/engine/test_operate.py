"""Operating an app: domains, maintenance, stopping, entering a process, roles at git's door, revoked keys."""

import asyncio
import contextlib
import json
import subprocess
import time
from pathlib import Path

from tests.engine import load
from tests.engine.server import Server, until
from tests.engine.test_road import FILES, WEB


def ship(server: Server, folder: Path, app: str) -> None:
    server.commit(folder, FILES)
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text


def test_domains_lead_to_their_app_and_to_no_other(server: Server, folder: Path) -> None:
    ship(server, folder, "named")
    assert server.ssh("domains:add named www.example.com").returncode == 0
    assert server.ssh("domains:add named '*.example.org'").returncode == 0
    assert server.get("", host="www.example.com").status == 200
    assert server.get("", host="WWW.Example.Com:80").status == 200
    assert server.get("", host="any.example.org").status == 200
    for host in ("example.com", "a.b.example.org", "example.org", "other.example.com"):
        assert server.get("", host=host).status == 404, host
    assert server.ssh("apps:create rival").returncode == 0
    taken = server.ssh("domains:add rival www.example.com")
    assert taken.returncode == 1 and "another app" in taken.stderr
    for bad in ("mothership.localhost", "rival.localhost", "a b", "x_y.example.com", "*", "*.*.com", "http://a.b"):
        refused = server.ssh(f"domains:add rival '{bad}'")
        assert refused.returncode != 0 and "Traceback" not in refused.stderr, bad
    assert server.ssh("domains:remove named www.example.com").returncode == 0
    assert server.get("", host="www.example.com").status == 404
    listed = json.loads(server.ssh("domains named --json").stdout)
    assert [row["domain"] for row in listed] == ["named.localhost", "*.example.org"]


def test_maintenance_shows_a_page_and_outlives_a_restart(server: Server, folder: Path) -> None:
    ship(server, folder, "closed")
    assert server.ssh("maintenance:on closed").returncode == 0
    answer = server.get("closed")
    assert answer.status == 503 and "maintenance" in answer.body and answer.headers.get("retry-after") == "300"
    own = server.ssh("maintenance:on closed --page", stdin=b"<h1>Back at noon</h1>")
    assert own.returncode == 0, own.stderr
    assert server.get("closed").status == 503 and "Back at noon" in server.get("closed").body
    server.kill()
    assert server.get("closed").status == 503
    server.start()
    assert "Back at noon" in server.get("closed").body
    assert server.ssh("maintenance:off closed").returncode == 0
    assert server.get("closed").status == 200


def test_a_stopped_app_starts_as_it_was(server: Server, folder: Path) -> None:
    ship(server, folder, "paused")
    assert server.ssh("ps:scale paused web=2 worker=1").returncode == 0
    assert server.ssh("ps:stop paused").returncode == 0
    assert until(lambda: server.services("paused") == [], seconds=30) and server.get("paused").status == 503
    started = server.ssh("ps:start paused")
    assert started.returncode == 0 and "web=2" in started.stdout and "worker=1" in started.stdout
    assert server.get("paused").status == 200
    again = server.ssh("ps:start paused")
    assert again.returncode == 0 and "was not stopped" in again.stdout


def test_what_was_just_scaled_to_nothing_is_scaled_up_again_and_stays(server: Server, folder: Path) -> None:
    ship(server, folder, "yoyo")
    for _ in range(3):
        down = server.ssh("ps:scale yoyo web=0 worker=0")
        assert down.returncode == 0, down.stderr
        up = server.ssh("ps:scale yoyo web=1 worker=1")
        assert up.returncode == 0, up.stdout + up.stderr
        assert server.get("yoyo").status == 200
    time.sleep(server.settings.drain + 2)
    assert server.services("yoyo") == ["yoyo-web-v1", "yoyo-worker-v1"]
    assert server.get("yoyo").status == 200


def test_exec_enters_the_running_process_and_has_its_exit_code(server: Server, folder: Path) -> None:
    ship(server, folder, "entered")
    assert server.ssh("ps:scale entered worker=1").returncode == 0
    shown = server.ssh("exec entered -- 'cat /proc/1/cmdline; echo; env; exit 7'")
    assert shown.returncode == 7 and "python app.py" in shown.stdout.replace("\0", " "), shown.stdout + shown.stderr
    assert "DYNO=web.1" in shown.stdout
    assert "DYNO=worker.1" in server.ssh("exec entered worker.1 -- env").stdout
    assert server.ssh("exec entered -- cat", stdin=b"through\n").stdout == "through\n"
    missing = server.ssh("exec entered web.9 -- true")
    assert missing.returncode == 1 and "It runs: web.1, worker.1" in missing.stderr
    terminal = server.ssh("exec entered -- tty", options=("-tt",))
    assert terminal.returncode == 0 and "/dev/pts/" in terminal.stdout


def test_an_exec_whose_caller_goes_away_ends(server: Server, folder: Path) -> None:
    ship(server, folder, "left")
    argv = [*server.ssh_argv(), "mothership@127.0.0.1", "exec left -- sleep 4321"]
    caller = subprocess.Popen(argv, stdin=subprocess.PIPE)

    def sleeping() -> bool:
        found = False
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                found = found or path.read_bytes().split(b"\0")[:2] == [b"sleep", b"4321"]
        return found

    assert until(sleeping)
    caller.kill()
    caller.wait()
    assert until(lambda: not sleeping(), seconds=10)


def test_git_is_for_deployers_and_a_viewers_push_changes_nothing(server: Server, folder: Path, tmp_path: Path) -> None:
    ship(server, folder, "roles")
    name = f"vic{time.time_ns() % 100000}"
    key = server.add_user(name)
    assert server.ssh(f"access:add roles {name} --role viewer").returncode == 0
    before = server.ref("roles")
    server.commit(folder, {"app.py": WEB.replace("one", "two")})
    pushed = server.push(folder, "roles", key=key)
    assert pushed.code != 0 and "for deployers" in pushed.text, pushed.text
    cloned = server.git(tmp_path, "clone", server.remote("roles"), "theirs", key=key)
    assert cloned.code != 0 and "for deployers" in cloned.text
    assert server.ref("roles") == before
    assert server.ssh(f"access:add roles {name} --role deployer").returncode == 0
    assert server.push(folder, "roles", key=key).code == 0
    refused = server.ssh("run roles -- id", key=key)
    assert refused.returncode == 1 and "is for an operator of roles" in refused.stderr
    trail = server.ssh("audit roles --json-lines -n 0").stdout
    assert '"action": "push"' in trail and name in trail and '"outcome": "refused' in trail
    assert server.ssh("audit:verify").returncode == 0


def test_a_deploy_key_for_one_app_deploys_that_app_alone(server: Server, folder: Path, tmp_path: Path) -> None:
    ship(server, folder, "ours")
    ship(server, folder, "theirs")
    key = tmp_path / "ci"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", str(key)], check=True)
    line = key.with_suffix(".pub").read_text().strip()
    added = server.ssh(f"keys:add --role deployer --only ours --expires 1h {line}")
    assert added.returncode == 0, added.stderr
    server.commit(folder, {"app.py": WEB.replace("one", "three")})
    assert server.push(folder, "ours", key=key).code == 0
    other = server.push(folder, "theirs", key=key)
    assert other.code != 0 and "no app" in other.text
    assert server.push(folder, "brand-new", key=key).code != 0
    assert server.ssh("run ours -- id", key=key).returncode == 1


def test_a_revoked_key_ends_its_open_sessions(server: Server, folder: Path, tmp_path: Path) -> None:
    ship(server, folder, "open")
    key = tmp_path / "gone"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    assert server.ssh(f"keys:add {key.with_suffix('.pub').read_text().strip()}").returncode == 0
    argv = [*server.ssh_argv(key=key), "mothership@127.0.0.1", "logs open -f"]
    following = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    server.get("open")
    assert following.stdout and following.stdout.readline()
    fingerprint = subprocess.run(["ssh-keygen", "-lf", str(key)], capture_output=True, text=True, check=True).stdout
    assert server.ssh(f"keys:remove {fingerprint.split()[1]}").returncode == 0
    assert following.wait(10) != 0
    assert server.ssh("apps", key=key).returncode == 255


async def renamed_under_load(server: Server, line: str, host: str) -> load.Tally:
    url = f"http://127.0.0.1:{server.http_port}"
    async with load.running(url, host, slow=False) as tally:
        done = await asyncio.to_thread(server.ssh, line)
        await asyncio.sleep(2)
    assert done.returncode == 0, done.stdout + done.stderr
    return tally


def test_a_renamed_app_keeps_its_history_and_loses_no_request(server: Server, folder: Path) -> None:
    ship(server, folder, "before")
    assert server.ssh("domains:add before www.rename.example").returncode == 0
    tally = asyncio.run(renamed_under_load(server, "apps:rename before after", "www.rename.example"))
    assert tally.failed == [], tally.failed[:5]
    assert server.get("after").status == 200 and server.get("before").status == 404
    assert until(lambda: server.services("before") == [], seconds=20)
    releases = server.releases("after")
    assert [r["release"] for r in releases] == ["v2", "v1"] and "Rename from before" in releases[0]["description"]
    assert server.ssh("rollback after v1").returncode == 0
    server.commit(folder, {"app.py": WEB.replace("one", "two")})
    assert server.push(folder, "after").code == 0 and server.get("after").body.startswith("two")
    gone = server.git(folder, "ls-remote", server.remote("before"))
    assert gone.code != 0 and "no app" in gone.text
    refused = server.ssh("apps:rename after api")
    assert refused.returncode != 0 and "keeps for itself" in refused.stderr


def test_renamed_there_and_back_an_app_loses_no_request(server: Server, folder: Path) -> None:
    ship(server, folder, "hither")
    assert server.ssh("domains:add hither www.to.example").returncode == 0
    for line in ("apps:rename hither thither", "apps:rename thither hither"):
        tally = asyncio.run(renamed_under_load(server, line, "www.to.example"))
        assert tally.failed == [], (line, tally.failed[:5])


def test_a_new_app_with_a_renamed_apps_earlier_name_is_its_own(server: Server, folder: Path) -> None:
    ship(server, folder, "elder")
    assert server.ssh("apps:rename elder moved-on").returncode == 0
    server.commit(folder, {"app.py": WEB.replace("one", "newcomer")})
    assert server.push(folder, "elder").code == 0
    assert until(lambda: server.services("elder") == ["elder-web-v1"])
    time.sleep(3)  # upkeep looks twice a second, and leaves both alone
    assert server.get("elder").body.startswith("newcomer") and server.get("moved-on").body.startswith("one")
    assert server.services("elder") == ["elder-web-v1"] and server.services("moved-on") == ["moved-on-web-v2"]


def test_a_rename_that_fails_changes_nothing(server: Server, folder: Path) -> None:
    only_one_name = "import os\nif os.environ['MOTHERSHIP_APP'] != 'stays': raise SystemExit(8)\n" + WEB
    server.commit(folder, {**FILES, "app.py": only_one_name})
    assert server.push(folder, "stays").code == 0
    done = server.ssh("apps:rename stays leaves")
    assert done.returncode == 1 and "exit code 8" in done.stdout + done.stderr, done.stdout + done.stderr
    assert server.get("stays").status == 200 and server.get("leaves").status == 404
    assert server.ssh("apps:info leaves").returncode == 1
    server.commit(folder, {"more": "x"})
    assert server.push(folder, "stays").code == 0


def test_requests_are_logged_for_apps_that_ask_for_it_alone(server: Server, folder: Path) -> None:
    ship(server, folder, "watched")
    assert server.ssh("logs:requests watched on").returncode == 0
    assert server.get("watched", "/some/path?x=1").status == 200

    def line() -> str:
        lines = server.ssh("logs watched -n 1000").stdout.splitlines()
        return next((text for text in lines if "[router]" in text and "/some/path" in text), "")

    assert until(line), server.ssh("logs watched").stdout
    for field in ("mothership[router]: method=GET", 'path="/some/path?x=1"', "status=200", "dyno=web.1", "ms service="):
        assert field in line(), line()
    assert server.ssh("logs:requests watched off").returncode == 0
    assert server.get("watched", "/quiet").status == 200
    time.sleep(1)
    assert "router" not in "".join(t for t in server.ssh("logs watched").stdout.splitlines() if "/quiet" in t)
