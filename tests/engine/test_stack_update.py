"""Security updates of the stack: apps move onto new layers without a build."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.server import Server
from tests.engine.test_road import FILES

KINDS = ("mothership/stack-run", "mothership/stack-build", "mothership/platform")


def docker(*words: str, stdin: str = "") -> str:
    done = subprocess.run(("docker", *words), input=stdin, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership whose stack is its own: the engine's, under other names."""
    stack = f"try-{worker_id}"
    for kind in KINDS:
        docker("tag", f"{kind}:heroku-24", f"{kind}:{stack}")
    made = Server(tmp_path_factory.mktemp("stack"), f"msts{worker_id}", stack=stack)
    try:
        made.start()
        yield made
    finally:
        made.destroy()
        for kind in (*KINDS, "mothership/stack-base"):
            subprocess.run(("docker", "rmi", "-f", f"{kind}:{stack}"), capture_output=True, check=False)


def change(server: Server, step: str) -> None:
    """Make the run image another one by a step."""
    name = f"mothership/stack-run:{server.settings.stack}"
    docker("build", "-q", "-t", name, "-", stdin=f"FROM {name}\nUSER root\nRUN {step}\n")


def states(server: Server) -> dict[str, str]:
    lines = server.ssh("stack:list").stdout.splitlines()[1:]
    return {line.split()[0]: line.split()[-1] for line in lines}


def test_an_app_is_brought_onto_new_layers_without_a_build(own_stack: Server, folder: Path) -> None:
    own_stack.commit(folder, FILES)
    assert own_stack.push(folder, "st-moves").code == 0
    assert states(own_stack) == {"st-moves": "current"}
    change(own_stack, "echo patched >/etc/patched")
    assert states(own_stack) == {"st-moves": "behind"}
    builds = own_stack.ssh("builds st-moves --json").stdout
    done = own_stack.ssh("stack:rebase st-moves", timeout=120)
    assert done.returncode == 0 and "st-moves: v1 onto today's stack" in done.stdout, done.stdout + done.stderr
    assert own_stack.ssh("run st-moves -- cat /etc/patched /app/Procfile").stdout.startswith("patched\nweb:")
    assert own_stack.get("st-moves").status == 200
    assert states(own_stack) == {"st-moves": "current"}
    assert own_stack.ssh("builds st-moves --json").stdout == builds
    assert "Nothing to do" in own_stack.ssh("stack:rebase").stdout
    assert own_stack.ssh("rollback st-moves v1", timeout=120).returncode == 0
    assert own_stack.ssh("run st-moves -- ls /etc/patched").returncode != 0


def test_an_app_that_can_not_run_on_the_new_stack_goes_on_as_it_was(own_stack: Server, folder: Path) -> None:
    own_stack.commit(folder, FILES)
    assert own_stack.push(folder, "st-stays").code == 0
    name = f"mothership/stack-run:{own_stack.settings.stack}"
    good = docker("image", "inspect", "-f", "{{.Id}}", name)
    change(own_stack, "rm /usr/bin/python3.13")
    done = own_stack.ssh("stack:rebase st-stays", timeout=120)
    docker("tag", good, name)
    assert done.returncode == 1 and "Not brought onto today's stack: st-stays" in done.stdout + done.stderr
    assert own_stack.get("st-stays").status == 200
    assert own_stack.releases("st-stays")[-1]["release"] == "v1"


def test_an_update_takes_todays_packages_and_says_what_changed(own_stack: Server, folder: Path) -> None:
    own_stack.commit(folder, FILES)
    assert own_stack.push(folder, "st-updates").code == 0
    change(own_stack, "dpkg --purge xxd")
    done = own_stack.ssh("stack:update --deploy", timeout=580)
    assert "xxd new ->" in done.stdout, done.stdout + done.stderr
    assert states(own_stack)["st-updates"] == "current"
    assert own_stack.get("st-updates").status == 200
    assert own_stack.ssh("run st-updates -- which xxd").stdout == "/usr/bin/xxd\n"


def test_only_admins_change_the_stack(own_stack: Server) -> None:
    key = own_stack.add_user("nobody-special")
    for line in ("stack:build", "stack:update", "stack:rebase"):
        done = own_stack.ssh(line, key=key)
        assert done.returncode != 0 and "admin" in done.stderr
    unknown = own_stack.ssh("stack:build cobol")
    assert unknown.returncode != 0 and "'cobol' is nothing that the stack can have" in unknown.stderr
