"""The `mothership` command in a clone, over the user's own ssh."""

import os
import subprocess
import sys
from pathlib import Path

from tests.engine.server import Server
from tests.engine.test_road import FILES


def mothership(server: Server, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the client with an ssh whose configuration knows the test's key."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    wrapper = tools / "ssh"
    fixed = " ".join(server.ssh_argv()[1:]).removesuffix(f" -p {server.ssh_port}")
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh {fixed} "$@"\n')
    wrapper.chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    source = str(Path(__file__).parents[2])
    environment = {**server.git_environment(), "PATH": path, "PYTHONPATH": source}
    argv = [sys.executable, "-m", "mothership.cli", *words]
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_clone_knows_its_server_and_its_app(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    done = mothership(server, folder, "init", "127.0.0.1", "--app", "client", "--port", str(server.ssh_port))
    assert done.returncode == 0, done.stderr
    assert server.git(folder, "push", "mothership", "main").code == 0
    done = mothership(server, folder, "config:set", "GREETING=hi there", "B=$x;'")
    assert done.returncode == 0, done.stderr
    assert "hi there" in server.get("client").body
    assert mothership(server, folder, "config:get", "B").stdout == "$x;'\n"
    assert mothership(server, folder, "run", "sh", "-c", "exit 5").returncode == 5
    assert mothership(server, folder, "run", "echo $GREETING | tr a-z A-Z").stdout == "HI THERE\n"
    assert "client" in mothership(server, folder, "apps").stdout
    assert "web.1" in mothership(server, folder, "ps", "--json").stdout


def test_a_folder_without_the_remote_is_told_how_to_add_it(server: Server, folder: Path) -> None:
    done = mothership(server, folder, "apps")
    assert done.returncode == 1 and "git remote add mothership" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_a_misuse(server: Server, folder: Path) -> None:
    done = mothership(server, folder, "frobnicate")
    assert done.returncode == 2 and "frobnicate" in done.stderr
