"""Builds: what they may use, what they leave, and that the same source makes the same image."""

import asyncio
import functools
import http.server
import ipaddress
import json
import re
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mothership.engine import Engine
from tests.engine.server import Server, until
from tests.engine.test_road import FILES, WEB

HOOK = "bin/pre_compile"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership whose builds get little."""
    with Server(
        tmp_path_factory.mktemp("strict"), f"mstb{worker_id}", build_time=12, build_memory=256, build_pids=64
    ) as made:
        yield made


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("sleep 600", "longer than 12 seconds"),
        ("python3 -c 'x = bytearray(2**31); print(len(x))'", "256 MB of memory"),
        ("exit 7", "bin/pre_compile failed"),
    ],
)
def test_a_build_beyond_its_limits_is_stopped_and_told_why(
    strict: Server, folder: Path, hook: str, expected: str
) -> None:
    strict.commit(folder, {**FILES, HOOK: hook})
    pushed = strict.push(folder, "greedy")
    assert pushed.code == 1 and expected in pushed.text, pushed.text
    assert until(lambda: strict.containers(role="build") == [])
    assert strict.services("greedy") == []


def test_a_build_that_forks_without_end_is_held_by_its_process_limit(strict: Server, folder: Path) -> None:
    bomb = "for i in $(seq 500); do sleep 600 & done 2>/tmp/errors; jobs -p | wc -l; exit 3"
    strict.commit(folder, {**FILES, HOOK: f"#!/bin/bash\n{bomb}\n"})
    pushed = strict.push(folder, "forks")
    assert pushed.code == 1, pushed.text
    assert until(lambda: strict.containers(role="build") == [])


def test_whatever_a_build_prints_reaches_the_client_as_text(strict: Server, folder: Path) -> None:
    hook = "printf '\\377\\376 odd bytes\\n'; head -c 1000000 /dev/zero | tr '\\0' x; echo; echo after"
    strict.commit(folder, {**FILES, HOOK: hook})
    pushed = strict.push(folder, "prints")
    assert pushed.code == 0, pushed.text[-2000:]
    assert "odd bytes" in pushed.text and "after" in pushed.text
    # Git's own client may lose part of a burst: ssh makes the standard error that they share non-blocking.
    build = json.loads(strict.ssh("builds prints --json").stdout)[0]["build"]
    assert strict.ssh(f"builds:output prints {build}").stdout.count("x") >= 1_000_000


def test_a_build_runs_as_nobody_special(strict: Server, folder: Path) -> None:
    hook = "id -u; touch /etc/x 2>&1; ls /var/run/docker.sock 2>&1; grep CapEff /proc/self/status; env | grep -c ^CI="
    strict.commit(folder, {**FILES, HOOK: f"{hook} || true"})
    pushed = strict.push(folder, "humble")
    assert pushed.code == 0, pushed.text
    for text in ("1000", "Permission denied", "No such file", "CapEff:\t0000000000000000"):
        assert text in pushed.text, pushed.text


def test_the_same_source_makes_the_same_image_and_moves_nothing(strict: Server, folder: Path) -> None:
    strict.commit(folder, FILES)
    assert strict.push(folder, "same").code == 0
    first = strict.ssh("apps:info same").stdout
    done = strict.ssh("redeploy same --no-cache")
    assert done.returncode == 0, done.stdout + done.stderr
    second = strict.ssh("apps:info same").stdout
    digest = [line for line in first.splitlines() if line.startswith("image:")]
    assert digest == [line for line in second.splitlines() if line.startswith("image:")]


def test_files_that_were_deleted_or_made_by_a_build_do_not_linger(strict: Server, folder: Path) -> None:
    strict.commit(folder, {**FILES, "old.txt": "old", HOOK: "echo made > made.txt; ln -s /etc/passwd link.txt"})
    assert strict.push(folder, "clean").code == 0
    (folder / "old.txt").unlink()
    (folder / HOOK).unlink()
    strict.commit(folder, {"link.txt": "mine"})
    assert strict.push(folder, "clean").code == 0
    listing = strict.ssh("run clean -- 'ls; cat link.txt'").stdout
    assert "old.txt" not in listing and "made.txt" not in listing and listing.endswith("mine")
    assert "mine" not in Path("/etc/passwd").read_text()


def test_slugignore_leaves_files_out_of_the_image(strict: Server, folder: Path) -> None:
    strict.commit(folder, {**FILES, ".slugignore": "# notes\n/notes\n*.psd\n", "notes/a.txt": "x", "art.psd": "x"})
    assert strict.push(folder, "slim").code == 0
    listing = strict.ssh("run slim ls").stdout
    assert "app.py" in listing and "notes" not in listing and "art.psd" not in listing


def bridge_gateway() -> str:
    """This machine's address as containers on the default bridge see it."""
    network = asyncio.run(Engine().network("bridge"))["IPAM"]["Config"][0]
    # An engine that has never been restarted doesn't say it; it takes the first address.
    return str(network.get("Gateway") or next(ipaddress.ip_network(network["Subnet"]).hosts()))


def test_a_third_party_buildpack_is_fetched_by_url(strict: Server, folder: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    scripts = {
        "detect": "echo Cobol",
        "compile": "echo compiling with $(cat $3/FLAG); mkdir -p $1/.profile.d; echo export A=b > $1/.profile.d/a.sh",
        "release": "echo '---'; echo 'default_process_types:'; echo '  web: python3 app.py'",
    }
    for name, text in scripts.items():
        (pack / "bin").mkdir(parents=True, exist_ok=True)
        (pack / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (pack / "bin" / name).chmod(0o755)
    with tarfile.open(tmp_path / "pack.tgz", "w:gz") as tar:
        tar.add(pack, arcname=".")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    gateway = bridge_gateway()
    with http.server.ThreadingHTTPServer((gateway, 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        assert strict.ssh("apps:create cobol").returncode == 0
        url = f"http://{gateway}:{site.server_port}/pack.tgz"
        assert strict.ssh(f"config:set cobol FLAG=-O2 BUILDPACK_URL={url}").returncode == 0
        strict.commit(folder, {"app.py": WEB})
        pushed = strict.push(folder, "cobol")
        site.shutdown()
    assert pushed.code == 0, pushed.text
    assert "Cobol app detected" in pushed.text and "compiling with -O2" in pushed.text
    assert strict.get("cobol").status == 200
    assert strict.ssh("run cobol -- 'echo $A'").stdout == "b\n"


def test_a_build_reaches_neither_the_registry_nor_the_engine(strict: Server, folder: Path) -> None:
    port = strict.settings.registry_port
    tries = "\n".join(
        f"curl -s -m 3 http://{host}:{number}/v2/_catalog && echo REACHED"
        for host, number in (("127.0.0.1", port), ("172.17.0.1", port), ("172.17.0.2", 5000), ("172.17.0.3", 5000))
    )
    strict.commit(folder, {**FILES, HOOK: f"{tries}\ntrue\n"})
    pushed = strict.push(folder, "curious")
    assert pushed.code == 0, pushed.text
    assert "REACHED" not in pushed.text and "repositories" not in pushed.text


def test_packages_of_another_language_do_not_stay_in_the_image(strict: Server, folder: Path) -> None:
    strict.commit(folder, FILES)
    assert strict.push(folder, "moved").code == 0
    for name in ("requirements.txt", "app.py"):
        (folder / name).unlink()
    (folder / "Procfile").unlink()
    strict.commit(folder, {"index.html": "<p>static now</p>"})
    pushed = strict.push(folder, "moved")
    assert pushed.code == 0 and "building from scratch" in pushed.text, pushed.text
    assert strict.ssh("run moved -- ls .heroku").stdout == "caddy\n"


def test_a_deleted_file_of_a_committed_dependency_folder_is_gone(strict: Server, folder: Path) -> None:
    strict.commit(folder, {**FILES, "node_modules/mine/a.js": "1", "node_modules/mine/b.js": "2"})
    assert strict.push(folder, "vendored").code == 0
    (folder / "node_modules/mine/b.js").unlink()
    strict.commit(folder)
    assert strict.push(folder, "vendored").code == 0
    assert strict.ssh("run vendored -- ls node_modules/mine").stdout == "a.js\n"


def test_a_changed_static_file_has_another_etag_even_at_the_same_size(strict: Server, folder: Path) -> None:
    tags = []
    for word in ("one", "two"):
        strict.commit(folder, {"index.html": f"<p>{word}</p>"})
        assert strict.push(folder, "tagged").code == 0
        tags.append({k.lower(): v for k, v in strict.get("tagged").headers.items()}["etag"])
        time.sleep(1)
    assert tags[0] != tags[1]


def test_a_dockerignore_is_honoured(strict: Server, folder: Path) -> None:
    dockerfile = 'FROM mothership/stack-run:heroku-24\nWORKDIR /srv\nCOPY . .\nCMD ["python3", "app.py"]\n'
    strict.commit(folder, {"Dockerfile": dockerfile, ".dockerignore": "secret.txt\n", "secret.txt": "x", "app.py": WEB})
    pushed = strict.push(folder, "ignoring")
    assert pushed.code == 0, pushed.text
    assert "secret.txt" not in strict.ssh("run ignoring -- ls /srv").stdout


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("python3 -c 'print(len(bytearray(2**30)))'", "256 MB of memory"),
        ("for i in $(seq 200); do sleep 30 & done; echo unheld", "Cannot fork"),
        ("sleep 600", "longer than 12 seconds"),
    ],
)
def test_a_dockerfile_step_beyond_its_limits_is_stopped_and_told_why(
    strict: Server, folder: Path, step: str, expected: str
) -> None:
    strict.commit(folder, {"Dockerfile": f"FROM mothership/stack-run:heroku-24\nRUN sleep 0.3; {step}\n"})
    pushed = strict.push(folder, "steps")
    assert pushed.code == 1 and expected in pushed.text, pushed.text
    assert strict.services("steps") == []


def test_a_dockerfile_can_not_start_from_another_apps_image(strict: Server, folder: Path, tmp_path: Path) -> None:
    strict.commit(folder, {**FILES, "secret.txt": "mine alone"})
    assert strict.push(folder, "victim").code == 0
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    build = json.loads(strict.ssh("builds victim --json").stdout)[0]["build"].lower()
    digest = re.search(r"sha256:[0-9a-f]{64}", strict.ssh("apps:info victim").stdout)
    assert digest
    host, port = strict.settings.registry.split(":")
    for image in (f"victim:{build}", "victim:latest", f"victim@{digest[0]}"):
        for dockerfile in (
            f"FROM {strict.settings.registry}/{image}\nRUN cat /app/secret.txt\n",
            f"ARG A={host}:\nARG B={port}/{image}\nFROM $A$B\nRUN cat /app/secret.txt\n",
            f"FROM mothership/stack-run:heroku-24\nCOPY --from={strict.settings.registry}/{image} /app/secret.txt /\n"
            "RUN cat /secret.txt\n",
        ):
            strict.commit(stranger, {"Dockerfile": dockerfile})
            pushed = strict.push(stranger, "thief")
            assert pushed.code == 1 and "mine alone" not in pushed.text, pushed.text


def test_a_dockerfile_brings_no_program_of_its_own_to_read_it(server: Server, folder: Path) -> None:
    server.commit(folder, {"Dockerfile": "# syntax=somebody/frontend\nFROM mothership/stack-run:heroku-24\n"})
    pushed = server.push(folder, "foreign-syntax")
    assert pushed.code == 1 and "'somebody/frontend'; only docker/dockerfile may" in pushed.text, pushed.text
    assert "[remote rejected]" in pushed.text and "foreign Dockerfile syntax" in pushed.text


def test_what_git_writes_into_a_dockerfile_as_it_unpacks_it_counts_too(server: Server, folder: Path) -> None:
    dockerfile = "# $Format:%s$\nFROM mothership/stack-run:heroku-24\n"
    files = {"Dockerfile": dockerfile, ".gitattributes": "Dockerfile export-subst\n"}
    server.commit(folder, files, "syntax=somebody/frontend")
    pushed = server.push(folder, "written-syntax")
    assert pushed.code == 1 and "'somebody/frontend'; only docker/dockerfile may" in pushed.text, pushed.text


def test_a_base_image_out_of_reach_is_named_with_a_way_around_it(server: Server, folder: Path) -> None:
    server.commit(folder, {"Dockerfile": "FROM registry.invalid/team/base:3\n"})
    pushed = server.push(folder, "unreachable-base")
    assert pushed.code == 1 and "The base image team/base:3 can't be fetched: registry.invalid doesn't" in pushed.text
    assert "buildpacks:set -a unreachable-base" in pushed.text, pushed.text


def test_a_folder_of_the_repository_is_built_as_if_it_were_its_root(server: Server, folder: Path) -> None:
    inside = {f"services/web/{name}": text for name, text in FILES.items()}
    server.commit(folder, {**inside, "go.mod": "module example.com/other\n", "README": "all of it"})
    assert server.ssh("apps:create subfolder").returncode == 0
    assert server.ssh("config:set subfolder PROJECT_PATH=services/web/").returncode == 0
    pushed = server.push(folder, "subfolder")
    assert pushed.code == 0 and "Building services/web of " in pushed.text, pushed.text
    assert server.get("subfolder").status == 200
    assert "README" not in server.ssh("run subfolder -- ls -A").stdout


def test_a_folder_with_a_dockerfile_is_its_whole_context(server: Server, folder: Path) -> None:
    dockerfile = 'FROM mothership/stack-run:heroku-24\nWORKDIR /srv\nCOPY . .\nCMD ["python3", "app.py"]\n'
    server.commit(folder, {"a b/c/Dockerfile": dockerfile, "a b/c/app.py": WEB, "outside": "x"})
    assert server.ssh("apps:create subdocker").returncode == 0
    assert server.ssh("config:set subdocker 'PROJECT_PATH=./a b/c'").returncode == 0
    pushed = server.push(folder, "subdocker")
    assert pushed.code == 0, pushed.text
    assert server.ssh("run subdocker -- ls /srv").stdout.split() == ["Dockerfile", "app.py"]


HEROKU_DOCKER = """
build:
  docker:
    web: docker/web/Dockerfile
    worker: docker/worker/Dockerfile
  config:
    WHO: heroku.yml
run:
  web: python3 app.py
"""


def test_heroku_yml_names_the_dockerfile_and_its_arguments(server: Server, folder: Path) -> None:
    dockerfile = "FROM mothership/stack-run:heroku-24\nARG WHO\nWORKDIR /srv\nCOPY . .\nRUN echo by $WHO > who\n"
    server.commit(folder, {"heroku.yml": HEROKU_DOCKER, "docker/web/Dockerfile": dockerfile, "docker/web/app.py": WEB})
    pushed = server.push(folder, "herokudocker")
    assert pushed.code == 0, pushed.text
    assert "Dockerfile app detected (docker/web/Dockerfile, by heroku.yml)" in pushed.text
    assert "worker runs in the same image" in pushed.text
    assert server.ssh("run herokudocker -- cat who").stdout == "by heroku.yml\n"
    assert server.get("herokudocker").status == 200


def test_a_captain_definition_is_built_by_its_lines(server: Server, folder: Path) -> None:
    lines = ["FROM mothership/stack-run:heroku-24", "WORKDIR /srv", "COPY . .", 'CMD ["python3", "app.py"]']
    server.commit(
        folder, {"captain-definition": json.dumps({"schemaVersion": 2, "dockerfileLines": lines}), "app.py": WEB}
    )
    pushed = server.push(folder, "captain")
    assert pushed.code == 0 and "by captain-definition" in pushed.text, pushed.text
    assert server.get("captain").status == 200


def test_a_dockerfile_that_is_not_there_or_outside_is_told(server: Server, folder: Path) -> None:
    server.commit(folder, {"app.py": WEB})
    (folder / "link").symlink_to("/etc")
    server.commit(folder, {"README": ""})
    server.ssh("apps:create nodocker")
    for path in ("deploy/Dockerfile", "link/passwd", "app.py/Dockerfile"):
        assert server.ssh(f"config:set nodocker DOCKERFILE_PATH={path}").returncode == 0
        pushed = server.push(folder, "nodocker")
        assert pushed.code == 1 and f"There is no file {path} in " in pushed.text, pushed.text


def test_a_build_argument_changes_nothing_on_the_host(server: Server, folder: Path) -> None:
    """The docker command would speak to the engine at DOCKER_HOST, and load what LD_PRELOAD names."""
    text = "FROM mothership/stack-run:heroku-24\nARG DOCKER_HOST\nARG LD_PRELOAD\nCOPY app.py .\n"
    text += "RUN echo $DOCKER_HOST > h\n"
    server.commit(folder, {"Dockerfile": text, "app.py": WEB, "Procfile": "web: python3 app.py\n"})
    server.ssh("apps:create obeyed")
    host = "tcp://127.0.0.1:9"
    assert server.ssh(f"config:set obeyed DOCKER_HOST={host} LD_PRELOAD=/nowhere.so").returncode == 0
    pushed = server.push(folder, "obeyed")
    assert pushed.code == 0, pushed.text
    assert server.ssh("run obeyed -- cat h").stdout == f"{host}\n"


@pytest.mark.parametrize(
    ("value", "said"),
    [("backend", "There is no folder backend in "), ("go.mod", "There is no folder"), ("../x", "is not a path of")],
)
def test_a_folder_that_is_not_there_is_told(server: Server, folder: Path, value: str, said: str) -> None:
    server.commit(folder, {**FILES, "go.mod": "module example.com/other\n"})
    server.ssh("apps:create subnowhere")
    assert server.ssh(f"config:set subnowhere PROJECT_PATH={value}").returncode == 0
    pushed = server.push(folder, "subnowhere")
    assert pushed.code == 1 and said in pushed.text and "PROJECT_PATH" in pushed.text, pushed.text
