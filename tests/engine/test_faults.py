"""When a part dies in the middle of a deploy: nothing half-done serves or stays, and the next push works."""

import asyncio
import contextlib
import os
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mothership import config
from mothership.engine import Engine
from receiver import pktline
from tests.engine.server import Server, until
from tests.engine.test_road import FILES, WEB

SLOW_BUILD = {**FILES, "bin/pre_compile": "echo the-build-is-slow\nsleep 60\n"}
SLOW_BOOT = {**FILES, "app.py": "import time\nprint('booting', flush=True)\ntime.sleep(8)\n" + WEB}


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership of its own, whose parts are killed."""
    with Server(tmp_path_factory.mktemp("mortal"), f"mstf{worker_id}") as made:
        yield made


class Rude(socketserver.TCPServer):
    """Keeps a port from a server that would come back to it: hangs up on everybody."""

    allow_reuse_address = True


def begin_push(server: Server, folder: Path, app: str, seen: str) -> subprocess.Popen[bytes]:
    """Start a push and return once its output shows `seen`."""
    argv = ["git", "push", server.remote(app), "main"]
    log = (folder.parent / f"{app}.log").open("wb")
    pushing = subprocess.Popen(
        argv, cwd=folder, env=server.git_environment(), stdout=log, stderr=log, start_new_session=True
    )
    assert until(lambda: seen in (folder.parent / f"{app}.log").read_text(), seconds=60), (
        folder.parent / f"{app}.log"
    ).read_text() + server.log()[-3000:]
    return pushing


def running_builds(server: Server) -> list[object]:
    return [found for found in server.containers(role="build") if found["State"] == "running"]


def serve_first(server: Server, folder: Path, app: str) -> str:
    commit = server.commit(folder, FILES)
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text
    return commit


def assert_untouched(server: Server, app: str, commit: str) -> None:
    """The first release serves, and nothing of the dead push is left."""
    assert server.get(app).body.startswith("one")
    assert server.ref(app) == commit
    assert until(lambda: server.services(app) == [f"{app}-web-v1"], seconds=15), server.services(app)
    assert until(lambda: server.containers(role="build") == [], seconds=10)
    assert until(lambda: server.quarantines() == [], seconds=5)


@pytest.mark.parametrize(("stage", "files"), [("the-build-is-slow", SLOW_BUILD), ("Starting web=1", SLOW_BOOT)])
def test_a_client_that_is_killed_leaves_everything_as_it_was(
    mortal: Server, folder: Path, stage: str, files: dict[str, str]
) -> None:
    app = "gone-build" if "build" in stage else "gone-boot"
    commit = serve_first(mortal, folder, app)
    mortal.commit(folder, files)
    pushing = begin_push(mortal, folder, app, stage)
    os.killpg(pushing.pid, signal.SIGKILL)
    pushing.wait()
    assert_untouched(mortal, app, commit)
    (folder / "bin" / "pre_compile").unlink(missing_ok=True)
    mortal.commit(folder, {"app.py": WEB.replace("one", "two")})
    assert mortal.push(folder, app).code == 0
    assert mortal.get(app).body.startswith("two")


@pytest.mark.parametrize(("stage", "files"), [("the-build-is-slow", SLOW_BUILD), ("Starting web=1", SLOW_BOOT)])
def test_a_daemon_that_is_killed_leaves_no_half_release(
    mortal: Server, folder: Path, stage: str, files: dict[str, str]
) -> None:
    app = "dead-build" if "build" in stage else "dead-boot"
    commit = serve_first(mortal, folder, app)
    mortal.commit(folder, files)
    pushing = begin_push(mortal, folder, app, stage)
    mortal.kill()
    assert until(lambda: not running_builds(mortal), seconds=10), "a build outlived its daemon"
    assert mortal.get(app).body.startswith("one")
    assert pushing.wait(30) != 0
    mortal.start()
    assert_untouched(mortal, app, commit)
    assert mortal.releases(app)[0]["status"] in ("current", "failed")
    (folder / "bin" / "pre_compile").unlink(missing_ok=True)
    mortal.commit(folder, {"app.py": WEB.replace("one", "two")})
    pushed = mortal.push(folder, app)
    assert pushed.code == 0, pushed.text
    assert mortal.get(app).body.startswith("two")


def test_apps_serve_while_the_daemon_is_away(mortal: Server, folder: Path) -> None:
    serve_first(mortal, folder, "alone")
    mortal.kill(signal.SIGTERM)
    assert mortal.get("alone").status == 200
    answer = mortal.get("", "/alone.git/info/refs?service=git-receive-pack", host="mothership.localhost")
    assert answer.status == 503
    mortal.start()
    assert mortal.get("alone").status == 200


def test_a_registry_that_stays_away_is_the_reason_a_push_is_rejected(mortal: Server, folder: Path) -> None:
    serve_first(mortal, folder, "noreg")
    engine, name = Engine(), f"{mortal.instance}-registry"
    mortal.commit(folder, {"app.py": WEB.replace("one", "two")})
    asyncio.run(engine.stop(name, timeout=1))
    with Rude(("127.0.0.1", mortal.settings.registry_port), socketserver.BaseRequestHandler) as rude:
        threading.Thread(target=rude.serve_forever, daemon=True).start()
        pushed = mortal.push(folder, "noreg")
        rude.shutdown()
    assert pushed.code == 1 and "registry" in pushed.text and "Traceback" not in pushed.text, pushed.text
    assert mortal.get("noreg").body.startswith("one")
    assert until(lambda: mortal.push(folder, "noreg").code == 0, seconds=60)
    assert mortal.get("noreg").body.startswith("two")


def test_a_registry_that_goes_away_during_a_build_is_waited_for(mortal: Server, folder: Path) -> None:
    serve_first(mortal, folder, "waits")
    slow = {"app.py": WEB.replace("one", "two"), "bin/pre_compile": "echo the-build-is-slow\nsleep 2\n"}
    mortal.commit(folder, slow)
    pushing = begin_push(mortal, folder, "waits", "the-build-is-slow")
    asyncio.run(Engine().remove(f"{mortal.instance}-registry"))
    assert pushing.wait(60) == 0, (folder.parent / "waits.log").read_text()
    assert mortal.get("waits").body.startswith("two")


def test_what_is_removed_behind_our_back_is_restored(mortal: Server, folder: Path) -> None:
    serve_first(mortal, folder, "robbed")
    engine = Engine()
    asyncio.run(engine.remove_service(f"{mortal.instance}-robbed-web-v1"))
    asyncio.run(engine.remove(f"{mortal.instance}-proxy"))

    def serves() -> bool:
        with contextlib.suppress(OSError):
            return mortal.get("robbed", timeout=2).status == 200
        return False

    assert until(serves, seconds=25), mortal.log()[-3000:]


def test_an_engine_that_goes_away_is_the_reason_a_push_is_rejected(
    tmp_path: Path, folder: Path, worker_id: str
) -> None:
    socket = tmp_path / "engine.sock"
    argv = ["socat", f"UNIX-LISTEN:{socket},fork", "UNIX-CONNECT:/var/run/docker.sock"]
    relay = subprocess.Popen(argv, start_new_session=True)
    assert until(socket.exists)
    server = Server(tmp_path, f"mste{worker_id}", docker_host=f"unix://{socket}")
    try:
        server.start()
        server.commit(folder, FILES)
        os.killpg(relay.pid, signal.SIGKILL)
        relay.wait()
        socket.unlink(missing_ok=True)
        pushed = server.push(folder, "noengine")
        assert pushed.code == 1 and "engine" in pushed.text and "Traceback" not in pushed.text, pushed.text
        relay = subprocess.Popen(argv, start_new_session=True)
        assert until(socket.exists)
        pushed = server.push(folder, "noengine")
        assert pushed.code == 0, pushed.text
    finally:
        os.killpg(relay.pid, signal.SIGKILL)
        relay.wait()
        server.destroy()


def test_a_daemon_without_an_engine_says_what_to_do(tmp_path: Path) -> None:
    config.save(config.Settings(data=tmp_path, docker_host=f"unix://{tmp_path}/none.sock"))
    argv = [sys.executable, "-m", "mothership.cli", "serve", "--data", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert "does not answer" in done.stderr and "systemctl start docker" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_the_reason_a_build_is_rejected(mortal: Server, folder: Path) -> None:
    serve_first(mortal, folder, "full")
    place = mortal.data / "workspaces" / "full"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=True)
    try:
        (folder / "big.bin").write_bytes(os.urandom(16 * 1024 * 1024))
        mortal.commit(folder)
        pushed = mortal.push(folder, "full")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
    assert pushed.code == 1 and "space" in pushed.text.lower(), pushed.text
    assert mortal.get("full").body.startswith("one")
    pushed = mortal.push(folder, "full")
    assert pushed.code == 0, pushed.text


def test_a_key_nobody_owns_is_refused(mortal: Server, folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    mortal.commit(folder, FILES)
    pushed = mortal.push(folder, "strange", key=key)
    assert pushed.code != 0 and "Permission denied" in pushed.text
    assert not (mortal.data / "repos" / "strange.git").exists()
    assert '"action": "login"' in mortal.ssh("audit -n 0 --json-lines").stdout


def test_an_app_that_the_user_may_not_create_is_refused(mortal: Server, folder: Path) -> None:
    public = mortal.add_user("temp").with_suffix(".pub").read_text()
    assert mortal.ssh(f"users:add guest {public}").returncode == 1
    other = mortal.root / "guest"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    line = other.with_suffix(".pub").read_text().strip()
    assert mortal.ssh(f"users:add --no-create guest {line}").returncode == 0
    mortal.commit(folder, FILES)
    pushed = mortal.push(folder, "forbidden", key=other)
    assert pushed.code != 0 and "no app" in pushed.text, pushed.text
    assert not (mortal.data / "repos" / "forbidden.git").exists()


@pytest.mark.parametrize("name", ["A-b", "x", "9lives", "mothership", "..%2f..", "a_b"])
def test_a_bad_app_name_is_refused_in_words(mortal: Server, folder: Path, name: str) -> None:
    mortal.commit(folder, FILES)
    pushed = mortal.push(folder, name)
    assert pushed.code != 0 and "name" in pushed.text and "Traceback" not in pushed.text


def test_a_stopped_task_is_replaced_and_routed_again(mortal: Server, folder: Path) -> None:
    serve_first(mortal, folder, "mended")
    container = mortal.containers(app="mended", process="web")[0]
    asyncio.run(Engine().kill(str(container["Id"])))

    def serves() -> bool:
        with contextlib.suppress(OSError):
            return mortal.get("mended").status == 200
        return False

    assert until(lambda: not serves())
    assert until(serves, seconds=15)


def test_a_daemon_that_is_killed_in_the_middle_of_a_pack_leaves_nothing(mortal: Server, folder: Path) -> None:
    commit = serve_first(mortal, folder, "half")
    (folder / "large.bin").write_bytes(os.urandom(8 << 20))
    new = mortal.commit(folder)
    argv = [*mortal.ssh_argv(), "mothership@127.0.0.1", "git-receive-pack 'half'"]
    client = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert client.stdin and client.stdout
    os.read(client.stdout.fileno(), 4096)
    packing = subprocess.run(
        ["git", "pack-objects", "--stdout", "--revs"],
        cwd=folder,
        input=f"{new}\n^{commit}\n".encode(),
        capture_output=True,
        check=True,
    )
    client.stdin.write(pktline.encode(f"{commit} {new} refs/heads/main\0 report-status".encode()) + pktline.FLUSH)
    client.stdin.write(packing.stdout[: len(packing.stdout) // 2])
    client.stdin.flush()
    assert until(mortal.quarantines)
    mortal.kill()
    assert client.wait(30) != 0
    mortal.start()
    assert_untouched(mortal, "half", commit)
    assert mortal.git(mortal.data / "repos" / "half.git", "fsck").code == 0
    assert mortal.push(folder, "half").code == 0


def receiving(server: Server, app: str) -> list[int]:
    """The receive-pack processes of an app's repository."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if b"receive-pack" in words and str(server.data / "repos" / f"{app}.git").encode() in words:
                found.append(int(path.parent.name))
    return found


def test_a_crash_between_the_verdict_and_the_ref_keeps_what_serves_and_its_commit(mortal: Server, folder: Path) -> None:
    serve_first(mortal, folder, "verdict")
    new = mortal.commit(folder, {"app.py": WEB.replace("one", "two")})
    pushing = begin_push(mortal, folder, "verdict", "Starting web=1")
    git = receiving(mortal, "verdict")
    assert git
    for pid in git:
        os.kill(pid, signal.SIGSTOP)
    assert until(lambda: mortal.releases("verdict")[0]["status"] == "current")
    mortal.kill()
    for pid in git:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert pushing.wait(30) != 0
    assert mortal.ref("verdict") != new
    mortal.start()
    assert mortal.get("verdict").body.startswith("two")
    assert mortal.ref("verdict") == new and mortal.quarantines() == []
    assert mortal.git(mortal.data / "repos" / "verdict.git", "fsck").code == 0
    again = mortal.push(folder, "verdict")
    assert (
        again.code == 0
        and "Nothing came with this push; verdict serves" in again.text
        and "mothership redeploy" in again.text
    ), again.text
