"""heroku.yml: which buildpacks build, and what runs."""

from pathlib import Path

import pytest

from builder.choose import choose
from builder.commit import Root
from builder.herokuyml import languages, processes
from builder.source import Source
from mothership.errors import Invalid

GO = b"build:\n  languages:\n    - go\n\nrun:\n  web: server --fast\n"


def test_languages_are_buildpacks_before_a_dockerfile() -> None:
    root = Root(0, (), {"heroku.yml": GO, "Dockerfile": b"FROM nowhere"})
    choice = choose(Source("app", Path("/nowhere"), "0" * 40), root, {})
    assert not choice.dockerfile and [pack.label for pack in choice.buildpacks] == ["go"]


def test_a_heroku_yml_about_docker_leaves_it_to_the_dockerfile() -> None:
    root = Root(0, (), {"heroku.yml": b"build:\n  docker:\n    web: Dockerfile\n", "Dockerfile": b"FROM nowhere"})
    assert choose(Source("app", Path("/nowhere"), "0" * 40), root, {}).dockerfile


@pytest.mark.parametrize(
    "text", [b"build:\n  languages: [ruby, nodejs]\n", b"build:\n  languages:\n  - ruby\n  - nodejs\n"]
)
def test_several_languages_in_either_way_of_writing(text: bytes) -> None:
    assert languages(text) == ("heroku/ruby", "heroku/nodejs")


def test_run_and_release_are_process_types() -> None:
    text = b"""
run:
  web: bundle exec puma -p $PORT
  worker:
    command:
      - python worker.py
    image: web
  other:
    image: web
release:
  image: web
  command:
    - ./migrate --all
"""
    assert processes(text) == {
        "web": "bundle exec puma -p $PORT",
        "worker": "python worker.py",
        "release": "./migrate --all",
    }


@pytest.mark.parametrize("text", [b"", b"- a\n- b\n", b"run: web\n", b"build: {}\nrun:\n  .bad: x\n"])
def test_anything_else_says_nothing(text: bytes) -> None:
    assert languages(text) == () and processes(text) == {}


def laughs(levels: int) -> bytes:
    """A few lines of aliases that stand for nine times as much each."""
    lines = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, levels)]
    return "".join(["a0: &a0 [x, x]\n", *lines, f"run:\n  web: *a{levels - 1}\n"]).encode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (laughs(12), "with its aliases written out"),
        (b"x: &x [" + b"y" * 400_000 + b", z]\nrun:\n" + b"".join(b" w%d: *x\n" % i for i in range(9000)), "aliases"),
        (b"run: {web: &a [*a]}", "recursive"),
        (b"run: {web: " + b"[" * 900 + b"]" * 900 + b"}", "nested too deeply"),
        (b"run: " + b"[" * 1_000_000, "nesting depth"),
        (b'run: {web: "a\\0b"}', "NUL"),
        (b"\xff\xfe\0", "not YAML"),
        (b"build:\n  docker: [\n", "line 3"),
    ],
)
def test_a_heroku_yml_that_cannot_be_read_is_refused_in_a_moment(text: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        processes(text)


def test_an_alias_stands_for_what_it_names() -> None:
    assert processes(b"run:\n  web: &a server\n  worker: *a\n") == {"web": "server", "worker": "server"}
