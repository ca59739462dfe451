"""Which Dockerfile builds an app, and what reaches the docker command on the host."""

import json
from pathlib import Path

import pytest

from builder.arguments import declared, passed
from builder.choose import choose
from builder.commit import Root
from builder.recipe import Recipe
from builder.source import Source
from mothership.errors import Invalid

HEROKU = b"""
build:
  docker:
    web: services/web/Dockerfile
    worker: services/worker/Dockerfile
    cron: services/web/Dockerfile
  config:
    NODE_VERSION: 22
    yes: no
"""


def chosen(files: dict[str, bytes], **config: str) -> Recipe | None:
    return choose(Source("app", Path("/nowhere"), "0" * 40, config=config), Root(0, (), files), {}).dockerfile


def test_the_roots_dockerfile_sees_the_root() -> None:
    assert chosen({"Dockerfile": b"FROM x"}) == Recipe("Dockerfile")
    assert chosen({}) is None


def test_heroku_yml_names_a_dockerfile_that_sees_its_own_folder() -> None:
    recipe = chosen({"heroku.yml": HEROKU, "Dockerfile": b"FROM x"})
    assert recipe and (recipe.path, recipe.context) == ("services/web/Dockerfile", "services/web")
    assert recipe.arguments == {"NODE_VERSION": "22", "yes": "no"}
    assert recipe.others == ("worker",)


def test_a_config_var_names_one_that_sees_the_root_before_the_commit_and_after_buildpacks() -> None:
    files = {"heroku.yml": HEROKU, ".buildpacks": b"heroku/python\n"}
    assert chosen(files, DOCKERFILE_PATH=" ./docker/prod.Dockerfile") == Recipe(
        "docker/prod.Dockerfile", named_by="the config var DOCKERFILE_PATH"
    )
    assert chosen(files, DOCKERFILE_PATH="x", BUILDPACK_URL="heroku/go") is None


@pytest.mark.parametrize(
    ("definition", "path", "text"),
    [
        ({"schemaVersion": 2, "dockerfilePath": "./deploy/Dockerfile"}, "deploy/Dockerfile", b""),
        ({"schemaVersion": 2, "dockerfileLines": ["FROM x", "RUN y"]}, "Dockerfile", b"FROM x\nRUN y\n"),
        ({"schemaVersion": 2, "imageName": "nginx:1"}, "Dockerfile", b"FROM nginx:1\n"),
    ],
)
def test_a_captain_definition_names_a_dockerfile_its_lines_or_an_image(
    definition: dict[str, object], path: str, text: bytes
) -> None:
    recipe = chosen({"captain-definition": json.dumps(definition).encode()})
    assert recipe == Recipe(path, text, named_by="captain-definition")


def test_a_captain_definition_of_a_template_leaves_it_to_detection() -> None:
    assert chosen({"captain-definition": b'{"schemaVersion": 2, "templateId": "node/8.7.0"}'}) is None


@pytest.mark.parametrize("definition", [b"{", b"[]", b'"x"'])
def test_a_captain_definition_that_is_none_is_an_error(definition: bytes) -> None:
    with pytest.raises(Invalid, match="captain-definition"):
        chosen({"captain-definition": definition})


@pytest.mark.parametrize("path", ["../Dockerfile", "a/../../b", "a\0b", "a\nb"])
def test_a_path_out_of_the_repository_is_an_error(path: str) -> None:
    with pytest.raises(Invalid):
        chosen({}, DOCKERFILE_PATH=path)
    with pytest.raises(Invalid):
        chosen({"captain-definition": json.dumps({"dockerfilePath": path}).encode()})


@pytest.mark.parametrize("given", [".", "/", "./"])
def test_the_root_named_as_a_dockerfile_is_the_one_in_it(given: str) -> None:
    recipe = chosen({}, DOCKERFILE_PATH=given)
    assert recipe and recipe.path == "Dockerfile"


def test_only_declared_config_vars_are_arguments() -> None:
    text = b"ARG ONE\nFROM x\n  arg TWO=2\n# ARG THREE\n"
    assert declared(text, {"ONE": "1", "TWO": "two", "THREE": "3"}) == {"ONE": "1", "TWO": "two"}


def test_the_values_of_arguments_stay_out_of_argv() -> None:
    assert passed({"GITHUB_TOKEN": "hush", "GOOGLE_KEY": "hush"}) == (
        ("--build-arg", "GITHUB_TOKEN", "--build-arg", "GOOGLE_KEY"),
        {"GITHUB_TOKEN": "hush", "GOOGLE_KEY": "hush"},
    )


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "DOCKER_CONFIG", "DOCKER_HOST", "PATH", "HOME", "GCONV_PATH", "GIT_DIR", "GLIBC_TUNABLES"]
)
def test_no_argument_changes_the_docker_command_itself(name: str) -> None:
    words, environment = passed({name: "/evil"})
    assert words == ("--build-arg", f"{name}=/evil") and not environment


def test_an_argument_with_a_strange_name_is_left_out() -> None:
    assert passed({"a b": "x", "-f": "y", "a=b": "z", "": "w"}) == ((), {})


@pytest.mark.parametrize(
    "text", [b"[" * 1_000_000, b'{"dockerfilePath": "\\ud800"}', b'{"dockerfilePath": "a\\u0000"}', b"\xff"]
)
def test_a_captain_definition_that_cannot_be_read_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid):
        chosen({"captain-definition": text})


def test_half_a_character_in_a_captain_definition_harms_nothing() -> None:
    recipe = chosen({"captain-definition": b'{"dockerfileLines": ["\\ud800"]}'})
    assert recipe and recipe.text == b"?\n"


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"buildpacks": ["https://x/\\ud800"]}'])
def test_an_app_json_that_cannot_be_read_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid):
        chosen({"app.json": text})


def test_a_buildpack_with_a_nul_in_its_name_is_none() -> None:
    with pytest.raises(Invalid, match="is not a buildpack"):
        chosen({".buildpacks": b"./a\0b\n"})


def test_a_dockerfile_of_empty_lines_is_searched_in_a_moment() -> None:
    # Looked at with every line as a start of all the others, these take hours.
    lines = b"\n" * 1_000_000
    assert declared(b"FROM x\n" + lines + b"  ARG\tA\n", {"A": "1"}) == {"A": "1"}


def test_build_arguments_that_no_command_can_take_are_refused() -> None:
    with pytest.raises(Invalid, match="longer than 32 KiB"):
        passed({"A": "x" * 40_000})
    with pytest.raises(Invalid, match="longer than 32 KiB, or all together"):
        passed({f"A{i}": "x" * 30_000 for i in range(40)})
