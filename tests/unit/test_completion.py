"""Completion in the shells themselves: fish answers what it would offer, zsh has its Tab key pressed on a terminal."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TERM": "dumb"}
PS = {"ps:restart", "ps:scale", "ps:start", "ps:stop"}
OPTIONS = {"--follow"}


def fish(typed: str, home: Path) -> set[str]:
    """The candidates for a command line whose end is the cursor."""
    script = 'source (mothership completion fish | psub); complete -C "$argv[1]"'
    argv = ["fish", "--no-config", "-c", script, typed]
    env = ENVIRONMENT | {"HOME": str(home)}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=60)
    return {line.split("\t")[0] for line in done.stdout.splitlines()}


class Zsh:
    """An interactive zsh on a pseudo-terminal, with its completion system and ours."""

    def __init__(self) -> None:
        assert shutil.which("zsh"), "Install it: apt-get install zsh"
        self.child, self._terminal = pty.fork()
        if self.child == 0:
            os.execvpe("zsh", ["zsh", "-f", "-i"], ENVIRONMENT)
        self._say(
            "autoload -Uz compinit; compinit -u -D; source <(mothership completion zsh); echo rea''dy\n", "ready\r"
        )

    def tab(self, typed: str, until: str) -> str:
        """Type words and press Tab; what the terminal shows up to a pattern. The line is left empty."""
        shown = self._say(f"{typed}\t", until)
        self._say("\x15echo do''ne\n", "done\r")
        return shown

    def close(self) -> None:
        os.close(self._terminal)  # which hangs it up
        os.waitpid(self.child, 0)

    def _say(self, text: str, until: str) -> str:
        os.write(self._terminal, text.encode())
        heard, end = b"", time.monotonic() + 30
        while not re.search(until.encode(), heard, re.DOTALL):
            assert select.select([self._terminal], [], [], max(0, end - time.monotonic()))[0], heard.decode()
            heard += os.read(self._terminal, 65536)
        return heard.decode()


@pytest.fixture
def zsh() -> Iterator[Zsh]:
    made = Zsh()
    yield made
    made.close()


@pytest.mark.parametrize(("typed", "expected"), [("mothership ps:", PS), ("mothership logs --f", OPTIONS)])
def test_fish_completes_commands_and_options(typed: str, expected: set[str], tmp_path: Path) -> None:
    assert fish(typed, tmp_path) == expected


def test_zsh_offers_commands_and_completes_them_and_their_options(zsh: Zsh) -> None:
    shown = zsh.tab("mothership ps:", r"ps:restart .*ps:scale .*ps:start .*ps:stop .*process")
    assert set(re.findall(r"^(ps:\w+) ", shown, re.MULTILINE)) == PS
    assert "ps:restart " in zsh.tab("mothership ps:re", r"ps:restart ")
    assert "logs --follow " in zsh.tab("mothership logs --f", r"--follow ")
