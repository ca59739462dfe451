"""Which changes a build's steps need not see, and what a Python program of the app's is seen to read."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from builder.memory import AGE, Last, Memory, key
from builder.packs import HERE
from builder.reads import Reads
from builder.source import Source
from builder.tree import read_tree, slugignore
from builder.workspace import Workspace
from mothership.errors import Invalid

LINES = ("= requirements.txt", "= *package.json", "= odd[[]1].py")


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("web/views.py", False),
        ("requirements.txt", True),
        ("a/b/package.json", True),
        ("odd[1].py", True),
        ("odd1.py", False),
        ("app.json", True),
        ("pyproject.toml", True),
        (".slugignore", True),
        ("node_modules/x/index.js", True),
        ("vendor/x.rb", True),
    ],
)
def test_a_build_runs_again_for_what_it_read(path: str, seen: bool) -> None:
    assert Reads(LINES).any_of([path]) is seen
    assert Reads(LINES).any_of(["web/views.py", path]) is seen


@pytest.mark.parametrize(
    ("path", "seen"), [("a.py", False), ("t/page.html", False), ("s/site.css", True), ("README", True)]
)
def test_only_some_kinds_of_files_may_change_where_native_code_may_read_others(path: str, seen: bool) -> None:
    assert Reads(("~ .py .html",)).any_of([path]) is seen


def test_a_build_of_which_nothing_is_known_runs_again() -> None:
    assert Reads(("= a", "everything")).any_of([])


LAST = Last("k", time.time(), ("= a",), ("static",), {"web": "x"}, {"A": "b"}, "python\n", ("java-21",))


def test_a_build_is_remembered_whole_until_it_is_forgotten(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    assert memory.recall("k") is None
    memory.keep(LAST)
    assert memory.recall("k") == LAST and memory.recall("other") is None
    memory.forget()
    memory.forget()
    assert memory.recall("k") is None


@pytest.mark.parametrize("later", [-AGE - 1, 3600.0])
def test_a_build_is_remembered_for_a_day(tmp_path: Path, later: float) -> None:
    memory = Memory(tmp_path)
    memory.keep(replace(LAST, when=time.time() + later))
    assert memory.recall("k") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": "k"}', '{"key": "k", "more": 1}'])
def test_a_memory_that_is_broken_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "last.json").write_text(text)
    assert Memory(tmp_path).recall("k") is None


def test_what_decides_a_build_makes_its_key() -> None:
    assert key({"A": "1", "B": "2"}) == key({"B": "2", "A": "1"}) != key({"A": "1", "B": "3"})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "source")], check=True)
    return tmp_path / "source"


def committed(repository: Path, files: dict[str, str]) -> Source:
    for name, text in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text)
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    return Source("app", commit, repository / ".git")


def test_a_workspace_tells_changes_and_what_a_build_left(repository: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "place")
    first = committed(repository, {"a.py": "1", "b/c.py": "2", "b/d.py": "3"})
    assert workspace.changes(read_tree(first)) is None
    workspace.sync(first, read_tree(first))
    for name in ("static/x/y.css", "b/made.txt", ".heroku/python/bin/python", "node_modules/z.js"):
        (workspace.app / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.app / name).write_text("made")
    made = workspace.made(read_tree(first))
    assert sorted(made) == ["b/made.txt", "static"]
    second = committed(repository, {"a.py": "one"})
    assert workspace.changes(read_tree(second)) == {"a.py"}
    workspace.sync(second, read_tree(second), made)
    assert (workspace.app / "static/x/y.css").exists() and (workspace.app / "b/made.txt").exists()
    assert (workspace.app / "a.py").read_text() == "one"
    workspace.sync(second, read_tree(second))
    assert not (workspace.app / "static").exists() and (workspace.app / "node_modules/z.js").exists()


@pytest.mark.parametrize("name", ["bin/pre_compile", "new.py"])
def test_a_file_that_comes_or_goes_is_more_than_a_change(repository: Path, tmp_path: Path, name: str) -> None:
    workspace = Workspace(tmp_path / "place")
    first = committed(repository, {"a.py": "1"})
    second = committed(repository, {name: "2"})
    for old, new in ((first, second), (second, first)):
        workspace.sync(old, read_tree(old))
        assert workspace.changes(read_tree(new)) is None


@pytest.mark.parametrize("touch", ["changed", "removed"])
def test_a_workspace_in_which_a_build_touched_the_commits_files_tells_none(
    repository: Path, tmp_path: Path, touch: str
) -> None:
    workspace = Workspace(tmp_path / "place")
    source = committed(repository, {"a.py": "1"})
    workspace.sync(source, read_tree(source))
    assert workspace.changes(read_tree(source)) == frozenset()
    (workspace.app / "a.py").write_text("2") if touch == "changed" else (workspace.app / "a.py").unlink()
    assert workspace.changes(read_tree(source)) is None


def test_a_build_that_was_cut_off_leaves_nothing_to_go_on_from(repository: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "place")
    source = committed(repository, {"a.py": "1"})
    workspace.sync(source, read_tree(source))
    with pytest.raises(RuntimeError), workspace.building():
        raise RuntimeError
    assert workspace.changes(read_tree(source)) is None


def test_slugignore_has_an_end() -> None:
    assert slugignore(b"# no\n\n/docs\n!x\n*.md\n") == ("/docs", "*.md")
    with pytest.raises(Invalid, match="1001 patterns"):
        slugignore(b"x\n" * 1001)


def observed(tmp_path: Path, program: str, **files: str) -> tuple[int, list[str], str]:
    root = tmp_path / "app"
    for name, text in {"manage.py": program, **{name.replace("__", "."): text for name, text in files.items()}}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    notes = tmp_path / "notes"
    argv = [sys.executable, str(HERE / "python/lib/observe.py"), str(notes), str(root), "manage.py", "one", "two"]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=False)
    return done.returncode, notes.read_text().splitlines(), done.stdout + done.stderr


def test_a_program_is_seen_to_read_what_it_opens_and_imports(tmp_path: Path) -> None:
    program = "import settings, os\nopen('data.txt').read()\nos.chdir('/')\nprint(settings.A, __name__, __file__)\n"
    status, notes, said = observed(tmp_path, program, settings__py="A = 1", data__txt="x", views__py="B = 2")
    assert status == 0 and said == "1 __main__ manage.py\n"
    assert notes[:1] == ["~ .py .html .htm .txt .md .rst .jinja .jinja2 .j2"]
    assert {"= settings.py", "= data.txt", "= manage.py"} <= set(notes) and "= views.py" not in notes


def test_a_link_and_what_it_leads_to_are_both_read(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/link.txt").symlink_to("data.txt")
    _, notes, _ = observed(tmp_path, "open('link.txt').read()", data__txt="x")
    assert {"= link.txt", "= data.txt"} <= set(notes)


@pytest.mark.parametrize(
    "program",
    [
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)",
        "import os\nif not os.fork(): os._exit(0)",
        "import os; os.environ.get('SOURCE_VERSION')",
    ],
)
def test_a_program_that_could_read_anything_is_said_to_have(tmp_path: Path, program: str) -> None:
    _, notes, _ = observed(tmp_path, program)
    assert notes == ["everything"]


@pytest.mark.parametrize(("program", "status"), [("import sys; sys.exit(3)", 3), ("1/0", 1), ("raise SystemExit", 0)])
def test_a_program_ends_as_it_would_by_itself(tmp_path: Path, program: str, status: int) -> None:
    ended, _, said = observed(tmp_path, f"import sys; assert sys.argv == ['manage.py', 'one', 'two']\n{program}")
    assert ended == status and "observe.py" not in said
    assert "ZeroDivisionError" in said or "Traceback" not in said
