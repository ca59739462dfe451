"""The Python buildpack: package managers, versions, static files, hooks, process types."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.engine import buildpack_locks as locks
from tests.engine.buildpack_stand import App, contents, shared

__all__ = ["shared"]

HELLO = """
from http.server import BaseHTTPRequestHandler, HTTPServer
import os
import itsdangerous, click

class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello {itsdangerous.__name__} {click.__name__}".encode())

HTTPServer(("", int(os.environ["PORT"])), Hello).serve_forever()
"""
PROCFILE = {"Procfile": "web: python hello.py\n", "hello.py": HELLO}
PACKAGED = """
[project]
name = "tiny"
version = "1.0"
dependencies = ["itsdangerous==2.2.0", "click==8.1.8"]

[project.scripts]
tiny = "tiny:main"

[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
py-modules = ["tiny"]
"""
UNPACKAGED = PACKAGED.split("[project.scripts]")[0]
WHEEL = "mine-1.0-py3-none-any.whl"
MANAGERS: dict[str, Mapping[str, str]] = {
    "requirements.txt": {"requirements.txt": "-r base.txt\nclick==8.1.8\n", "base.txt": "itsdangerous==2.2.0\n"},
    "uv.lock": {"pyproject.toml": locks.UV_PYPROJECT, "uv.lock": locks.UV_LOCK},
    "poetry.lock": {"pyproject.toml": locks.POETRY_PYPROJECT, "poetry.lock": locks.POETRY_LOCK},
    "Pipfile.lock": {"Pipfile": locks.PIPFILE, "Pipfile.lock": locks.PIPFILE_LOCK},
    "Pipfile": {"Pipfile": locks.PIPFILE},
    "pyproject.toml": {"pyproject.toml": UNPACKAGED},
    "pyproject.toml of a package": {"pyproject.toml": PACKAGED, "tiny.py": "def main():\n    print('tiny')\n"},
    "setup.py": {
        "setup.py": "from setuptools import setup\n"
        "setup(name='tiny', version='1', py_modules=['hello'], install_requires=['click==8.1.8', 'itsdangerous'])\n"
    },
}


@pytest.mark.parametrize("manager", MANAGERS)
async def test_every_package_manager_installs_what_the_app_needs_and_no_more(
    manager: str, tmp_path: Path, shared: Path
) -> None:
    async with App(tmp_path, shared, "python", {**PROCFILE, **MANAGERS[manager]}).standing() as app:
        assert (await app.detect()).text == "Python"
        first = await app.build()
        assert f"-----> Installing packages from {manager.split()[0]}" in first.text
        second = await app.build()
        assert "hasn't changed" in second.text
        async with app.serving() as site:
            assert (await site.get()).text == "hello itsdangerous click"
        listed = (await app.run("ls .heroku/python/lib/python3.13/site-packages")).text.split()
        assert "iniconfig" not in listed


async def test_an_unchanged_app_is_built_again_without_installing(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", {"requirements.txt": "click\n"}).standing() as app:
        assert "Installing packages" in (await app.build()).text
        again = (await app.build()).text
        assert "Using the packages of the last build" in again and "Installing" not in again


async def test_a_removed_requirement_is_removed_from_the_app(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", {"requirements.txt": "click\nitsdangerous\n"}).standing() as app:
        await app.build()
        app.write({"requirements.txt": "itsdangerous\n"})
        assert "- click==" in (await app.build()).text
        app.write({"requirements.txt": "# nothing\n"})
        assert "- itsdangerous==" in (await app.build()).text
        assert (await app.run("find .heroku/python/lib -name '*.py*'")).text == ""


async def test_the_same_requirements_make_the_same_files_however_they_came_about(tmp_path: Path, shared: Path) -> None:
    both = {"requirements.txt": "click==8.1.8\nitsdangerous==2.2.0\n"}
    async with App(tmp_path / "once", shared, "python", both).standing() as once:
        await once.build()
    async with App(tmp_path / "twice", shared, "python", {"requirements.txt": "click==8.1.8\n"}).standing() as twice:
        await twice.build()
        twice.write(both)
        await twice.build()
    left, right = contents(once.workspace), contents(twice.workspace)
    assert sorted(left) == sorted(right)
    assert [name for name in left if left[name] != right[name]] == []
    assert any(name.endswith("click/__pycache__/core.cpython-313.pyc") for name in left)


async def test_byte_code_is_used_whatever_the_files_times_are(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", {"requirements.txt": "click==8.1.8\n"}).standing() as app:
        await app.build()
        await app.run("find .heroku -exec touch -hd @315532800 {} +")
        verbose = await app.run("PYTHONDONTWRITEBYTECODE=1 .heroku/python/bin/python -v -c 'import click'")
        compiled = [line for line in verbose.text.splitlines() if "code object from" in line and "/click/" in line]
        assert compiled
        assert all("__pycache__" in line for line in compiled)


async def test_packages_of_the_apps_own_directories_follow_their_source(tmp_path: Path, shared: Path) -> None:
    files = {
        "requirements.txt": "./vendored\n",
        "vendored/setup.py": "from setuptools import setup\nsetup(name='vendored', version='1', py_modules=['mine'])\n",
        "vendored/mine.py": "answer = 41\n",
    }
    async with App(tmp_path, shared, "python", files).standing() as app:
        await app.build()
        app.write({"vendored/mine.py": "answer = 42\n"})
        await app.build()
        assert (await app.run(".heroku/python/bin/python -c 'import mine; print(mine.answer)'")).text == "42"


async def test_a_config_var_reaches_the_installer_but_not_the_running_app(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", {"requirements.txt": "click\n"}).standing() as app:
        app.configure(PIP_INDEX_URL="http://127.0.0.1:9/simple", PATH="/nowhere")
        failed = await app.compile()
        assert failed.code == 1
        assert "127.0.0.1:9" in failed.text
        assert " !     The packages in requirements.txt can't be installed." in failed.text
        assert "127.0.0.1:9" not in "".join(str(text) for text in contents(app.workspace).values())


async def test_a_failed_installation_is_tried_again(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", {"requirements.txt": "click==99\n"}).standing() as app:
        for _ in range(2):
            failed = await app.compile()
            assert failed.code == 1
            assert "click==99" in failed.text
        app.write({"requirements.txt": "click==8.1.8\n"})
        await app.build()


async def test_a_lock_file_that_is_out_of_date_is_named(tmp_path: Path, shared: Path) -> None:
    changed = locks.UV_PYPROJECT.replace('"click"', '"click", "flask"')
    async with App(tmp_path, shared, "python", {"pyproject.toml": changed, "uv.lock": locks.UV_LOCK}).standing() as app:
        failed = await app.compile()
        assert failed.code == 1
        assert "run `uv lock`" in failed.text


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({".python-version": "3.13\n"}, "Python 3.13.5 (.python-version asks for 3.13)"),
        ({"runtime.txt": "python-3.13\n"}, "Python 3.13.5 (runtime.txt asks for 3.13)"),
        ({".python-version": "# ours\n\n3\n"}, "asks for 3)"),
    ],
)
async def test_the_stacks_python_meets_a_wish_for_it(
    files: dict[str, str], words: str, tmp_path: Path, shared: Path
) -> None:
    async with App(tmp_path, shared, "python", {"requirements.txt": "", **files}).standing() as app:
        assert words in (await app.build()).text


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({".python-version": "3.99\n"}, ["There is no Python 3.99 here, which .python-version asks for", "3.12."]),
        ({"runtime.txt": "the newest\n"}, ["runtime.txt must hold one version of Python, but holds: the newest"]),
        ({"pyproject.toml": "[project\n"}, ["pyproject.toml is not valid TOML"]),
    ],
)
async def test_a_wish_for_a_python_that_is_not_to_be_had_is_an_error_with_a_way_out(
    files: dict[str, str], words: list[str], tmp_path: Path, shared: Path
) -> None:
    async with App(tmp_path, shared, "python", {"requirements.txt": "", **files}).standing() as app:
        failed = await app.compile()
        assert failed.code == 1
        for word in words:
            assert word in failed.text


async def test_a_python_that_cannot_be_downloaded_says_what_the_stack_has(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", {"requirements.txt": "", ".python-version": "3.12"}).standing() as app:
        app.configure(UV_PYTHON_INSTALL_MIRROR="http://127.0.0.1:9", UV_HTTP_RETRIES="0")
        failed = await app.compile()
        assert failed.code == 1
        assert "What can be had: 3.13.5 (the stack's own), 3.14, 3.15, 3.11" in failed.text
        assert "UV_PYTHON_INSTALL_MIRROR" in failed.text


async def test_an_extra_index_adds_to_the_usual_one(tmp_path: Path, shared: Path) -> None:
    files = {"requirements.txt": "click\nmine==1.0\n", "index/mine/index.html": f'<a href="{WHEEL}">{WHEEL}</a>'}
    async with App(tmp_path, shared, "python", files).standing() as app:
        write_wheel(app.workspace / "index/mine" / WHEEL)
        await app.run("python3 -m http.server 8099 -d index >/dev/null 2>&1 & sleep 0.5")
        app.configure(PIP_EXTRA_INDEX_URL="http://127.0.0.1:8099")
        await app.build()
        assert (await app.run(".heroku/python/bin/python -c 'import click, mine; print(mine.answer)'")).text == "42"


async def test_a_repository_that_cannot_be_reached_is_the_installers_error(tmp_path: Path, shared: Path) -> None:
    files = {"requirements.txt": "mine @ git+http://127.0.0.1:9/mine.git\n"}
    async with App(tmp_path, shared, "python", files).standing() as app:
        failed = await app.compile()
        assert failed.code == 1
        assert "127.0.0.1:9/mine.git" in failed.text
        assert " !     The packages in requirements.txt can't be installed." in failed.text


RANGE = {"pyproject.toml": "[project]\nname = 'a'\nrequires-python = '>=3.10,<4'\n"}


@pytest.mark.parametrize(("version", "hints"), [({}, True), (RANGE, True), ({".python-version": "3.13"}, False)])
async def test_a_package_that_does_not_build_may_be_older_than_the_default_python(
    version: dict[str, str], hints: bool, tmp_path: Path, shared: Path
) -> None:
    files = {"requirements.txt": "./old\n", "old/setup.py": "raise SystemExit('too old')\n", **version}
    async with App(tmp_path, shared, "python", files).standing() as app:
        failed = await app.compile()
        assert failed.code == 1 and ("3.11 >.python-version" in failed.text) == hints, failed.text


async def test_an_old_package_finds_the_pkg_resources_that_it_imports(tmp_path: Path, shared: Path) -> None:
    old = {"requirements.txt": "gunicorn==20.0.4\n"}
    async with App(tmp_path, shared, "python", old).standing() as app:
        assert "An older setuptools" in (await app.build()).text
        assert "20.0.4" in (await app.run(".heroku/python/bin/gunicorn --version")).text


async def test_hooks_run_before_and_after_with_config_and_pip(tmp_path: Path, shared: Path) -> None:
    files = {
        "requirements.txt": "itsdangerous\n",
        "bin/pre_compile": "#!/bin/sh\necho $GREETING\necho click >> requirements.txt\n",
        "bin/post_compile": "#!/bin/sh\npip install -q iniconfig && python -c 'import iniconfig; print(\"there\")'\n",
    }
    async with App(tmp_path, shared, "python", files).standing() as app:
        app.configure(GREETING="good morning")
        text = (await app.build()).text
        assert "-----> Running bin/pre_compile\n       good morning" in text
        assert text.endswith("       there")
        app.write({"bin/post_compile": "#!/bin/sh\nexit 3\n"})
        failed = await app.compile()
        assert failed.code == 1
        assert " !     bin/post_compile failed." in failed.text


async def test_the_profile_fits_the_servers_processes_to_memory(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", {**PROCFILE, **MANAGERS["requirements.txt"]}).standing() as app:
        await app.build()
        shown = 'sh -c "env; exec python hello.py"'
        async with app.serving(command=shown) as site:
            environment = (await site.logs()).splitlines()
        assert "WEB_CONCURRENCY=2" in environment
        assert "FORWARDED_ALLOW_IPS=*" in environment
        assert "PYTHONPATH=/app" in environment
        assert not any(line.startswith("PYTHONHOME") for line in environment)
        async with app.serving(command=shown, env={"WEB_CONCURRENCY": "7"}) as site:
            assert "WEB_CONCURRENCY=7" in (await site.logs()).splitlines()


def write_wheel(path: Path) -> None:
    """The smallest wheel: one module and its metadata (Python Packaging, "Binary distribution format")."""
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("mine.py", "answer = 42\n")
        wheel.writestr("mine-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        wheel.writestr("mine-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("mine-1.0.dist-info/RECORD", "")
