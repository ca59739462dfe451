"""The `mothership` command, with a stand-in for ssh that has the real command table behind it."""

import json
import os
import pty
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from mothership import edit
from mothership.cli import main
from mothership.commands.table import VERBS
from mothership.errors import Invalid
from mothership.store import Accounts, Apps, Store
from mothership.words import take_remote, with_app

SOURCE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Clone:
    """A clone with the remotes `mothership` (the app blog) and `other` (shop), and a server to talk to."""

    folder: Path
    data: Path
    environment: dict[str, str]

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "mothership.cli", *words]
        return subprocess.run(
            argv, cwd=self.folder, env=self.environment | env, capture_output=True, text=True, check=False
        )

    def edit(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        """config:edit with a shell script for an editor; the file is its $1."""
        editor = self.folder / "editor"
        editor.write_text(f"#!/bin/sh\n{script}\n")
        editor.chmod(0o755)
        return self.run("config:edit", *words, VISUAL=str(editor))

    @property
    def lines(self) -> list[str]:
        """What was sent."""
        return (self.data / "lines").read_text().splitlines() if (self.data / "lines").exists() else []

    def config(self, app: str = "blog") -> dict[str, str]:
        apps = Apps(Store(self.data))
        return apps.config(apps.get(app))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    folder, data, tools = tmp_path / "clone", tmp_path / "data", tmp_path / "tools"
    folder.mkdir()
    tools.mkdir()
    store = Store(data)
    ada, apps = Accounts(store).add_user("ada"), Apps(store)
    apps.replace_config(apps.create("blog", ada), {"A": "1", "B": "two words", "PEM": 'a\n"b"\n'})
    apps.create("shop", ada)
    store.close()
    ssh = tools / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.unit.cli_ssh "$@"\n')
    ssh.chmod(0o755)
    for name, app in (("mothership", "blog"), ("other", "shop")):
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        url = f"ssh://mothership@host-of-{app}:2222/{app}"
        subprocess.run(["git", "-C", str(folder), "remote", "add", name, url], check=True)
    kept = {name: value for name, value in os.environ.items() if name not in ("VISUAL", "EDITOR", "NO_COLOR")}
    path = f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    own = {"PATH": path, "PYTHONPATH": str(SOURCE), "MOTHERSHIP_TEST_DATA": str(data), "TMPDIR": str(tmp_path)}
    return Clone(folder, data, kept | own)


def test_a_command_is_about_the_clones_app_and_ends_with_its_own_status(clone: Clone) -> None:
    done = clone.run("config:get", "A")
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert clone.run("config:get", "NOPE").returncode == 1
    assert clone.run("config:get").returncode == 2
    assert clone.lines[0] == "mothership@host-of-blog config:get --app blog A"


@pytest.mark.parametrize(
    "words",
    [
        ("config", "-a", "shop"), ("config", "--json", "--app=shop"), ("--app", "shop", "config"),
    ],
)  # fmt: skip
def test_another_app_may_be_named_anywhere(clone: Clone, words: tuple[str, ...]) -> None:
    assert clone.run(*words).returncode == 0
    assert clone.lines[0].startswith("mothership@host-of-blog config ") and "shop" in clone.lines[0]
    assert "blog" not in clone.lines[0].split(" ", 1)[1]


@pytest.mark.parametrize(
    "words", [("--remote", "other", "config"), ("config", "--remote", "other"), ("config", "--remote=other")]
)
def test_another_remote_may_be_named_anywhere(clone: Clone, words: tuple[str, ...]) -> None:
    assert clone.run(*words).returncode == 0
    assert clone.lines == ["mothership@host-of-shop config --app shop"]


def test_what_run_runs_is_left_alone() -> None:
    command = ["tool", "--remote", "x", "-a", "y"]
    assert take_remote(command, rest=True) == ("", command)
    assert take_remote(["-a", "b", "--remote", "r", *command], rest=True) == ("r", ["-a", "b", *command])
    assert with_app(command, "blog", rest=True) == ["--app", "blog", *command]
    assert with_app(["-a", "b", *command], "blog", rest=True) == ["-a", "b", *command]
    assert take_remote(["A=1", "--", "--remote"], rest=False) == ("", ["A=1", "--", "--remote"])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("config", "--remote"), 2),
        (("frobnicate",), 2),
        (("completion", "csh"), 2),
        (("config", "--remote", "nowhere"), 1),
        (("config:edit", "--remote", "nowhere"), 1),
        (("config", "--remote", "--upload-pack=x"), 1),
    ],
)
def test_misuse_is_2_and_other_failures_are_1(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int
) -> None:
    monkeypatch.chdir(clone.folder)
    done = CliRunner().invoke(main, words)
    assert done.exit_code == code and done.stderr and isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("path", ["/nonexistent", "/etc/hostname"], ids=["missing", "a file"])
def test_a_machine_without_git_is_told(clone: Clone, path: str) -> None:
    done = clone.run("config", PATH=path)
    assert done.returncode == 1 and "no git" in done.stderr and "Traceback" not in done.stderr


def test_without_a_server_the_status_is_sshs_own(clone: Clone) -> None:
    url = "ssh://mothership@unreachable/blog"
    subprocess.run(["git", "-C", str(clone.folder), "remote", "set-url", "mothership", url], check=True)
    assert clone.run("config").returncode == 255
    assert clone.edit("exit 0").returncode == 255


def test_errors_are_red_on_a_terminal_only(clone: Clone) -> None:
    assert "\x1b" not in clone.run("config", "--remote", "nowhere").stderr
    assert b"\x1b[31m" in on_a_terminal(clone, {})
    assert b"\x1b" not in on_a_terminal(clone, {"NO_COLOR": "1"})


def on_a_terminal(clone: Clone, env: dict[str, str]) -> bytes:
    """What a failing command prints when standard error is a terminal."""
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "mothership.cli", "config", "--remote", "nowhere"]
    subprocess.run(argv, cwd=clone.folder, env=clone.environment | env, stderr=theirs, check=False)
    os.close(theirs)
    heard = os.read(ours, 65536)
    os.close(ours)
    return heard


# config:edit


def test_the_difference_is_sent_at_once(clone: Clone) -> None:
    done = clone.edit('sed -i "/^B=/d; s/^A=1/A=it\'s 2/" "$1"; echo C= >>"$1"')
    assert done.returncode == 0, done.stderr
    assert clone.config() == {"A": "it's 2", "C": "", "PEM": 'a\n"b"\n'}
    assert len(clone.lines) == 2 and "Set A, C, unset B" in done.stdout


def test_what_only_goes_is_unset(clone: Clone) -> None:
    assert clone.edit('sed -i "/^B=/d" "$1"').returncode == 0
    assert set(clone.config()) == {"A", "PEM"}
    assert clone.lines[1] == "mothership@host-of-blog config:unset --app blog -- B"


def test_nothing_changed_sends_nothing(clone: Clone) -> None:
    done = clone.edit('touch "$1"')
    assert (done.returncode, done.stdout) == (0, "Nothing changed.\n")
    assert len(clone.lines) == 1


def test_a_line_that_is_not_key_value_sends_nothing(clone: Clone) -> None:
    done = clone.edit('echo "A B=hush" >>"$1"; sed -i s/two/2/ "$1"')
    assert done.returncode == 1 and "is not KEY=VALUE; nothing was sent" in done.stderr and "hush" not in done.stderr
    assert len(clone.lines) == 1 and clone.config()["B"] == "two words"


@pytest.mark.parametrize(
    "line", ["nonsense", "1A=x", "A B=hush", "=hush", "A=again", 'Q="hush', 'Q="hush" x', "export Z=hush", " A=x"]
)
def test_a_line_that_cant_be_read_is_named_without_its_value(line: str) -> None:
    with pytest.raises(Invalid, match="line 2|Line 2") as raised:
        edit.parse(f"A=1\n{line}\n")
    assert "hush" not in raised.value.message


def test_an_editor_that_fails_sends_nothing(clone: Clone) -> None:
    done = clone.edit('sed -i s/two/2/ "$1"; exit 3')
    assert done.returncode == 1 and "status 3" in done.stderr
    assert clone.edit('rm "$1"').returncode == 1
    done = clone.run("config:edit", VISUAL="/no/such/editor")
    assert done.returncode == 1 and "could not be started" in done.stderr
    assert clone.config()["B"] == "two words"


def test_the_file_is_the_users_own_and_gone_afterwards(clone: Clone) -> None:
    done = clone.edit('stat -c "%a %n" "$1" "$(dirname "$1")" >"$MOTHERSHIP_TEST_DATA/modes"')
    assert done.returncode == 0, done.stderr
    file, folder = (line.split(" ", 1) for line in (clone.data / "modes").read_text().splitlines())
    assert file[0] == "600" and folder[0] == "700"
    assert not Path(file[1]).exists() and not Path(folder[1]).exists()


def test_config_edit_takes_app_and_remote_too(clone: Clone) -> None:
    assert clone.edit('echo X=1 >>"$1"', "-a", "shop").returncode == 0
    assert clone.edit('echo Y=1 >>"$1"', "--remote", "other").returncode == 0
    assert clone.config("shop") == {"X": "1", "Y": "1"}


@pytest.mark.parametrize("value", ["", "x", " x ", '"', '"x"', "a=b", "#", "a\nb\r\n", "é \u2028 \t", "\\n", "'"])
def test_every_value_comes_back_as_it_was(value: str) -> None:
    assert edit.parse(edit.render({"KEY": value}, "blog")) == {"KEY": value}


def test_a_files_line_ends_may_be_windows_own() -> None:
    assert edit.parse("# x\r\nA=1\r\n\r\nB=2\r\n") == {"A": "1", "B": "2"}
    with pytest.raises(Invalid, match="Line 2"):
        edit.parse("A=1\nB\n")


# completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0 and "_MOTHERSHIP_COMPLETE" in done.stdout and not done.stderr


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("config:", {"config:edit", "config:get", "config:set", "config:unset"}), ("logs --f", {"--follow"})],
)
def test_bash_completes_commands_and_options(clone: Clone, typed: str, expected: set[str]) -> None:
    """As bash does it: the words up to the cursor, split at COMP_WORDBREAKS, and the function that is registered."""
    script = (
        "source <(mothership completion bash); [[ $COMP_WORDBREAKS != *:* ]] || exit 9; COMP_WORDS=(mothership $1); "
        'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _mothership_completion mothership; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    argv = ["bash", "--norc", "-c", script, "bash", typed]
    done = subprocess.run(argv, env=clone.environment, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected


HOSTILE = (
    ("$(id)", "; rm -rf /", "`id`", "line\nbreak", "a\x01b", "blоg"),
    ("-x", "--no-such-option", "--json", "--json", "--app=../../etc/passwd"),
    ("--", "--remote", "-oProxyCommand=id"),
    ("x" * 100_000,),
)


def test_hostile_words_at_every_verb_reach_the_server_as_they_are(clone: Clone, tmp_path: Path) -> None:
    """The stand-in for ssh says what it was given; how the server answers such words is in test_commands."""
    (tmp_path / "tools" / "ssh").write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    walk = [[name, *words] for name in VERBS for words in HOSTILE]
    argv = [sys.executable, "-m", "tests.unit.cli_walk"]
    done = subprocess.run(
        argv,
        cwd=clone.folder,
        env=clone.environment,
        input=json.dumps(walk),
        capture_output=True,
        text=True,
        check=True,
    )
    for (name, *words), (status, out, err) in zip(walk, json.loads(done.stdout), strict=True):
        assert (status, err) == (0, ""), (name, words)
        *_, host, line = out.rstrip("\0").split("\0")
        sent = shlex.split(line)
        assert host == "mothership@host-of-blog" and sent[0] == name
        assert [word for word in sent[1:] if word not in ("--app", "blog")] == [w for w in words if w != "blog"]


def test_a_dash_that_ends_the_options_ends_the_clients_own_too(clone: Clone) -> None:
    assert clone.run("config:get", "--", "--remote").returncode == 1
    assert clone.lines == ["mothership@host-of-blog config:get --app blog -- --remote"]
