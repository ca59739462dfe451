"""Cloud Native Buildpacks: apps built by a builder image, with the real lifecycle."""

from pathlib import Path

import pytest

from tests.engine.cnb_builder import builder_image
from tests.engine.server import Server, until


@pytest.fixture(scope="module")
def builder(server: Server) -> str:
    return builder_image(server.settings)


@pytest.fixture
def app(server: Server, folder: Path, builder: str) -> str:
    """An app that is built by the builder image because its owner said so."""
    if "nativeapp" not in server.ssh("apps").stdout:
        assert server.ssh("apps:create nativeapp").returncode == 0
        assert server.ssh(f"builder nativeapp cnb {builder}").returncode == 0
    return "nativeapp"


def test_an_app_is_built_by_the_lifecycle_served_and_built_again_quickly(
    server: Server, folder: Path, app: str
) -> None:
    assert server.ssh(f"config:set {app} GREETING=everybody").returncode == 0
    server.commit(folder, {"words.txt": "first"})
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text
    for said in ("-----> Detecting", "Words for everybody", "-----> Exporting", "types -> web, worker", "Image ready"):
        assert said in pushed.text, pushed.text
    assert server.get(app, "/words.txt").body == "first"

    server.commit(folder, {"other.txt": "other"})
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text
    assert "The words are as before" in pushed.text and "Reusing layer 'example/words:words'" in pushed.text
    server.commit(folder, {"words.txt": "second"})
    assert server.push(folder, app).code == 0
    assert server.get(app, "/words.txt").body == "second"
    assert server.ssh(f"rollback {app} v2").returncode == 0
    assert server.get(app, "/words.txt").body == "first"


def test_its_processes_and_commands_have_the_environment_of_its_buildpacks(
    server: Server, folder: Path, app: str
) -> None:
    server.commit(folder, {"words.txt": "here"})
    assert server.push(folder, app, "--force", "main").code == 0
    assert server.ssh(f"run {app} -- 'cat $WORDS/words.txt; exit 3'").stdout == "here"
    assert server.ssh(f"run {app} -- 'exit 3'").returncode == 3
    assert server.ssh(f"run {app} -- bash -c 'cat $WORDS/words.txt'").stdout == "here"
    assert server.ssh(f"exec {app} web.1 -- printenv WORDS").stdout.startswith("/layers/")
    assert server.ssh(f"ps:scale {app} worker=1").returncode == 0
    assert until(lambda: server.ssh(f"logs:search {app} working with here").returncode == 0)
    assert server.ssh(f"ps:scale {app} worker=0").returncode == 0


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"readme": "nothing else"}, "No buildpack of mothership-test/cnb-builder"),
        ({"words.txt": "x", "bin/hook": "exit 7"}, "lifecycle ended with exit code 51"),
        ({"words.txt": "x", "bin/hook": "rm -rf /layout/*; ln -s / /layout/index.docker.io; sleep 0.1"}, "exit code"),
    ],
    ids=["nothing detected", "a buildpack fails", "the layout is tampered with"],
)
def test_what_cannot_be_built_is_rejected_in_words(
    server: Server, folder: Path, builder: str, files: dict[str, str], said: str
) -> None:
    server.commit(folder, {**files, "project.toml": f'[io.buildpacks]\nbuilder = "{builder}"\n'})
    pushed = server.push(folder, "nativefails")
    assert pushed.code == 1 and said in pushed.text, pushed.text
    assert until(lambda: server.containers(role="build") == [])


def test_project_toml_chooses_the_builder_its_buildpacks_and_their_environment(
    server: Server, folder: Path, builder: str
) -> None:
    project = f"""
[_]
schema-version = "0.2"
[io.buildpacks]
builder = "{builder}"
[[io.buildpacks.group]]
id = "example/words"
[[io.buildpacks.build.env]]
name = "GREETING"
value = "the project"
"""
    server.commit(folder, {"words.txt": "x", "project.toml": project, "requirements.txt": ""})
    pushed = server.push(folder, "nativeproject")
    assert "Words for the project" in pushed.text and "example/web" not in pushed.text, pushed.text
    assert "types -> (none)" in pushed.text


def test_its_build_reaches_neither_the_registry_nor_the_engine(server: Server, folder: Path, builder: str) -> None:
    port = server.settings.registry_port
    tries = "\n".join(
        f"curl -s -m 3 http://{host}:{port}/v2/_catalog && echo REACHED" for host in ("127.0.0.1", "172.17.0.1")
    )
    files = {"words.txt": "x", "bin/hook": f"{tries}\nid -u; ls /var/run/docker.sock && echo REACHED\ntrue"}
    server.commit(folder, {**files, "project.toml": f'[io.buildpacks]\nbuilder = "{builder}"\n'})
    pushed = server.push(folder, "nativecurious")
    assert pushed.code == 0, pushed.text
    assert "REACHED" not in pushed.text and "1234" in pushed.text


@pytest.mark.parametrize("image", ["127.0.0.1:{port}/nativeapp", "localhost:{port}/nativeapp", "host:{port}/nativeapp"])
def test_another_apps_image_is_no_builder(server: Server, folder: Path, app: str, image: str) -> None:
    name = image.format(port=server.settings.registry_port)
    server.commit(folder, {"words.txt": "x", "project.toml": f'[io.buildpacks]\nbuilder = "{name}"\n'})
    pushed = server.push(folder, "nativethief")
    assert pushed.code == 1 and ("not the name of a builder" in pushed.text or "own registry" in pushed.text)
