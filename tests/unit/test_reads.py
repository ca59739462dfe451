"""Which changes a build's steps need not see, and what a Python program of the app's is seen to read."""

import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from builder.memory import AGE, Last, Memory, key
from builder.packs import HERE
from builder.reads import DETECTING, Changes, Reads, together
from builder.source import Source
from builder.tree import read_tree, slugignore
from builder.workspace import Workspace
from mothership.errors import Invalid


def changed(*paths: str) -> Changes:
    return Changes(contents=frozenset(paths))


def moved(*paths: str) -> Changes:
    return Changes(names=frozenset(paths))


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
    assert Reads(LINES).any_of(changed(path)) is seen
    assert Reads(LINES).any_of(changed("web/views.py", path)) is seen


@pytest.mark.parametrize(
    ("path", "seen"), [("a.py", False), ("t/page.html", False), ("s/site.css", True), ("README", True)]
)
def test_only_some_kinds_of_files_may_change_where_native_code_may_read_others(path: str, seen: bool) -> None:
    assert Reads(("~ .py .html",)).any_of(changed(path)) is seen
    assert Reads(("~ .py .html", "+ nothing")).any_of(moved(path)) is seen
    assert not Reads(("~ .py .html",)).any_of(moved("folder/"))


def test_a_build_of_which_nothing_is_known_runs_again() -> None:
    assert Reads(("= a", "everything")).any_of(Changes())
    assert together([]) == () and together(["= a\n", ""]) == ("+ *", "= a", "everything")
    assert together(["= a\n+ b\n", "= c\n+ d\n"]) == ("+ b", "+ d", "= a", "= c")
    assert Reads(together(["= a\n+ b\n", "= c\n"])).any_of(moved("anything"))


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("web/new.py", False),
        ("web/deep/", False),
        ("web/local.py", True),
        ("web/local/", True),
        ("web/local/__init__.py", True),
        ("web/local/other.py", False),
        ("web/local.cpython-313-x86_64-linux-gnu.so", True),
        ("local.py", False),
        ("json.py", True),
        ("json/", True),
        ("deep/json.py", False),
        ("requirements.txt", True),
        ("a/package.json", True),
        ("pages/more/page.html", True),
        ("pages/", True),
        ("static/", True),
        ("static/site.css", False),
        ("vendor/x.rb", True),
        ("app.json", True),
        ("go.mod", True),
        ("sub/go.mod", False),
        ("index.html", True),
    ],
)
def test_a_build_runs_again_for_what_it_looked_for(path: str, seen: bool) -> None:
    said = Reads((*LINES, "+ pages/*", "+ static/", "^ web/local", "^ json"))
    assert said.any_of(moved(path)) is seen


def test_all_that_detection_looks_for_is_known() -> None:
    for script in HERE.glob("*/bin/detect"):
        text = re.sub(r"^#.*", "", script.read_text(), flags=re.MULTILINE)
        looked = set(re.findall(r"\$1/([\w./-]+)", text)) | set(re.findall(r"-f ([a-z][\w.-]+)", text))
        for names in re.findall(r"^for file in ([^;]+);", text, re.MULTILINE):
            looked |= set(names.split())
        assert looked <= DETECTING, f"{script}: {looked - DETECTING}"
        assert looked, script


@pytest.mark.parametrize(
    ("name", "met"),
    [("static/x.css", True), ("static", True), ("a/b/x", True), ("a/x.py", True), ("c/x.py", False), ("x.py", False)],
)
def test_where_a_build_left_something_a_file_that_comes_or_goes_is_met(name: str, met: bool) -> None:
    assert moved(name).meet(("static", "a/b/made.txt")) is met


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
    assert workspace.changes(read_tree(second)) == changed("a.py")
    workspace.sync(second, read_tree(second), made)
    assert (workspace.app / "static/x/y.css").exists() and (workspace.app / "b/made.txt").exists()
    assert (workspace.app / "a.py").read_text() == "one"
    workspace.sync(second, read_tree(second))
    assert not (workspace.app / "static").exists() and (workspace.app / "node_modules/z.js").exists()


@pytest.mark.parametrize(("name", "names"), [("a/b/c.py", ["a/b/c.py", "a/b/"]), ("new.py", ["new.py"])])
def test_a_file_that_comes_or_goes_is_told_with_its_folders(
    repository: Path, tmp_path: Path, name: str, names: list[str]
) -> None:
    workspace = Workspace(tmp_path / "place")
    first = committed(repository, {"a/a.py": "1"})
    second = committed(repository, {name: "2"})
    for old, new in ((first, second), (second, first)):
        workspace.sync(old, read_tree(old))
        assert workspace.changes(read_tree(new)) == moved(*names)
        workspace.sync(new, read_tree(new), ())
        assert (workspace.app / name).exists() is (new is second)
        assert (workspace.app / name).parent.exists() is (new is second or name == "new.py")


@pytest.mark.parametrize("touch", ["changed", "removed"])
def test_a_workspace_in_which_a_build_touched_the_commits_files_tells_none(
    repository: Path, tmp_path: Path, touch: str
) -> None:
    workspace = Workspace(tmp_path / "place")
    source = committed(repository, {"a.py": "1"})
    workspace.sync(source, read_tree(source))
    assert workspace.changes(read_tree(source)) == Changes()
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
    ("program", "lines"),
    [
        ("import os; os.path.exists('x.cfg')", ["+ x.cfg", "+ x.cfg/"]),
        ("import os; os.path.isdir('/'.join((os.getcwd(), 'x')))", ["+ x", "+ x/"]),
        ("from pathlib import Path; list(Path('x').glob('*.py'))", ["+ x/"]),
        ("import os; os.mkdir('x'); os.listdir('x')", ["+ x/*"]),
        ("import os; list(os.scandir())", ["+ *"]),
        ("import os; os.access('x', os.R_OK)", ["+ x"]),
        ("import pkgutil; list(pkgutil.iter_modules(['x']))", ["+ x", "+ x/"]),
        ("import importlib.metadata as m; m.packages_distributions()", ["+ *.dist-info*", "+ *.egg-info*"]),
        ("import string; print(string.digits)", ["^ string"]),
        ("import os", ["^ os", "^ re"]),
        ("try: import x.y\nexcept ImportError: pass", ["^ x"]),
        ("import importlib.util; importlib.util.find_spec('data')", ["^ data"]),
    ],
)
def test_what_a_program_looks_for_is_seen(tmp_path: Path, program: str, lines: list[str]) -> None:
    _, notes, said = observed(tmp_path, program, data__txt="x")
    assert set(lines) <= set(notes), said
    assert "+ *" in lines or "+ *" not in notes
    assert not Reads(tuple(notes)).any_of(moved("new.py", "other/more.py")) or "+ *" in lines


def test_what_a_program_makes_itself_is_nothing_that_it_reads(tmp_path: Path) -> None:
    program = "import os\nos.mkdir('out')\nopen('out/a', 'w').close()\nopen('out/a').read()\n"
    _, notes, _ = observed(tmp_path, program)
    assert "= manage.py" in notes and not [line for line in notes if "out/a" in line]


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
