"""Pythons that the stack is extended by: pushed, served, built again; and those that nobody has."""

from pathlib import Path

from tests.engine.server import Server

APP = {
    ".python-version": "3.14\n",
    # No wheel: an extension in C needs this Python's headers.
    "requirements.txt": "--no-binary markupsafe\nmarkupsafe==3.0.2\n",
    "Procfile": "web: python hello.py\n",
    "hello.py": """
from http.server import BaseHTTPRequestHandler, HTTPServer
import bz2, ctypes, lzma, os, platform, sqlite3, ssl, zlib
from markupsafe import _speedups

class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{platform.python_version()} {_speedups.__name__}".encode())

HTTPServer(("", int(os.environ["PORT"])), Hello).serve_forever()
""",
}


def test_another_python_than_the_stacks_comes_from_another_suite_of_debian(server: Server, folder: Path) -> None:
    server.commit(folder, APP)
    pushed = server.push(folder, "p-newer", timeout=400)
    assert pushed.code == 0, pushed.text
    assert "Using Python 3.14." in pushed.text and "+ markupsafe==3.0.2" in pushed.text
    assert server.get("p-newer").body.startswith("3.14.")
    assert server.get("p-newer").body.endswith(" markupsafe._speedups")
    server.commit(folder, {"hello.py": APP["hello.py"] + "# changed\n"})
    pushed = server.push(folder, "p-newer")
    assert pushed.code == 0 and "Build steps skipped" in pushed.text, pushed.text
    server.commit(folder, {".python-version": "3.13\n"})
    pushed = server.push(folder, "p-newer")
    assert pushed.code == 0, pushed.text
    assert server.get("p-newer").body.startswith("3.13.")


def test_a_python_that_nobody_has_is_an_error_that_lists_what_there_is(server: Server, folder: Path) -> None:
    server.commit(folder, {**APP, ".python-version": "3.99\n"})
    pushed = server.push(folder, "p-nobody")
    assert pushed.code == 1, pushed.text
    assert "There is no Python 3.99 here, which .python-version asks for." in pushed.text
    assert "What can be had: 3.13.5 (the stack's own), 3.14, 3.15, 3.11" in pushed.text


def test_a_config_var_chooses_a_python_before_any_file(server: Server, folder: Path) -> None:
    assert server.ssh("apps:create p-var").returncode == 0
    assert server.ssh("config:set p-var PYTHON_VERSION=3.98").returncode == 0
    server.commit(folder, {**APP, ".python-version": "3.13\n"})
    pushed = server.push(folder, "p-var")
    assert pushed.code == 1 and "which the config var PYTHON_VERSION asks for" in pushed.text, pushed.text
    assert "mothership config:set PYTHON_VERSION=3.13" in pushed.text
    assert server.ssh("config:set p-var PYTHON_VERSION=3.13").returncode == 0
    pushed = server.push(folder, "p-var")
    assert pushed.code == 0 and "(the config var PYTHON_VERSION asks for 3.13)" in pushed.text, pushed.text
