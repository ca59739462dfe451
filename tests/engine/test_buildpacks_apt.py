"""The apt buildpack: Debian packages from an Aptfile, for the app and for the buildpacks after it."""

from pathlib import Path

import pytest

from tests.engine.server import Server
from tests.engine.test_road import FILES

PACKS = "heroku-community/apt\nheroku/python\n"


def test_packages_of_an_aptfile_are_there_for_the_build_and_for_the_app(server: Server, folder: Path) -> None:
    # jq is part of the image that builds, so only its absence in the one that runs makes it wanted.
    aptfile = "# Tools\njq\nlibsodium-dev # and its library\n"
    hook = "#!/bin/sh\necho '#include <sodium.h>\nint main() { return sodium_init() < 0; }' >/tmp/a.c\n"
    hook += "gcc /tmp/a.c -o a.out -lsodium && echo Compiled with it\n"
    server.commit(folder, {**FILES, "Aptfile": aptfile, ".buildpacks": PACKS, "bin/post_compile": hook})
    pushed = server.push(folder, "apt-tools", timeout=300)
    assert pushed.code == 0 and "Compiled with it" in pushed.text, pushed.text
    assert "libjq1" in pushed.text and "libonig5" not in pushed.text, pushed.text
    ran = server.ssh("run apt-tools -- bash -c 'command -v jq; echo 41 | jq .+1; ./a.out && echo linked'")
    assert ran.stdout.split() == ["/app/.apt/usr/bin/jq", "42", "linked"], ran
    server.commit(folder, {"app.py": FILES["app.py"] + "\n# changed\n"})
    pushed = server.push(folder, "apt-tools")
    assert pushed.code == 0 and "Using the packages of the last build: the Aptfile" in pushed.text, pushed.text
    assert "42" in server.ssh("run apt-tools -- bash -c 'echo 41 | jq .+1'").stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no-such-package-here", "Unable to locate package no-such-package-here"),
        ("-o Dir::Bin=/tmp", '"-o" in the Aptfile is not the name of a package'),
        ("https://nowhere.invalid/a.deb", "https://nowhere.invalid/a.deb can't be fetched"),
    ],
)
def test_a_line_that_can_not_be_followed_is_told(server: Server, folder: Path, line: str, said: str) -> None:
    server.commit(folder, {**FILES, "Aptfile": f"{line}\n", ".buildpacks": PACKS})
    pushed = server.push(folder, "apt-bad")
    assert pushed.code == 1 and said in pushed.text, pushed.text
