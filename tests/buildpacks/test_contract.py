"""The classic buildpack API, one behaviour a test (Heroku, "Buildpack API"; docs/buildpacks.md has the table)."""

from pathlib import Path

import pytest

from tests.buildpacks.stand import Stand
from tests.engine.server import Server, until


@pytest.fixture
def stand(server: Server, folder: Path, request: pytest.FixtureRequest) -> Stand:
    """An app of this test's own."""
    name = "".join(letter for letter in request.node.name.removeprefix("test_") if letter.isalpha())
    return Stand(server, folder, f"bp-{name[:24].lower()}")


def test_compile_gets_the_build_cache_and_env_folders_and_starts_in_its_own(stand: Stand) -> None:
    stand.use("words", files={"index.html": "x"})
    said = stand.build()
    assert "-----> Words of 1: /app app detected" in said and "second line" not in said
    assert "words: 3 /app /cache/" in said and " /env\n" in said
    assert "mine: bin" in said and "writable" in said and "all three are folders" in said
    assert "the commit: index.html packs" in said


def test_a_buildpack_that_was_named_and_refuses_ends_the_build_with_its_own_words(stand: Stand) -> None:
    stand.use("refuses")
    said = stand.fail()
    assert "not for me" in said and "./packs/refuses (bin/detect) failed" in said
    assert "compiled all the same" not in said


def test_a_buildpack_that_detects_without_a_name_is_called_by_its_address(stand: Stand) -> None:
    stand.use("silent")
    said = stand.build()
    assert "-----> ./packs/silent app detected" in said and "silent one compiled" in said


def test_config_vars_are_files_and_those_that_would_break_a_build_stay_away(stand: Stand) -> None:
    stand.configure(GREETING="hello  world", PATH="/nowhere", LD_PRELOAD="/x.so", JAVA_OPTS="-Xmx1m", GIT_DIR="/x")
    stand.use("environment")
    said = stand.build()
    assert "config GREETING=hello  world." in said
    for hidden in ("PATH", "LD_PRELOAD", "JAVA_OPTS", "GIT_DIR"):
        assert f"config {hidden}=" not in said
    assert "in compile's environment: nothing" in said
    assert "config can not be written" in said


def test_a_build_knows_its_stack_its_commit_and_its_id_and_nothing_of_the_servers_environment(stand: Stand) -> None:
    stand.use("environment")
    commit = stand.server.commit(stand.folder, {"a": "b"})
    said = stand.build()
    assert f"STACK=heroku-24 SOURCE_VERSION={commit} REQUEST_ID=" in said and "CI=unset" in said
    assert "REQUEST_ID= " not in said


def test_what_a_buildpack_exports_reaches_the_next_one_and_not_the_app(stand: Stand) -> None:
    stand.use("exporter", "importer", "bare-release")
    said = stand.deploy()
    assert "-----> Importer two words app detected" in said
    assert "exported: two words, declared: by-declare, plain: nothing" in said
    assert "tool of the first" in said
    assert stand.run("'echo ${EXPORTED-nothing}'") == "nothing\n"


def test_an_export_can_not_upset_the_build(stand: Stand) -> None:
    stand.use("clumsy-export", "importer", "silent", files={})
    stand.server.commit(stand.folder, {"packs/importer/bin/compile": "#!/bin/bash\necho good: $GOOD\n"})
    said = stand.build()
    assert "good: yes" in said and "silent one compiled" in said


def test_an_export_that_exits_is_named(stand: Stand) -> None:
    stand.use("exit-export", "silent")
    assert "./packs/exit-export (export) failed with exit code 3" in stand.fail()


@pytest.mark.parametrize("pack", ["no-release", "empty-release"])
def test_a_buildpack_need_not_have_a_release(server: Server, folder: Path, pack: str) -> None:
    stand = Stand(server, folder, f"bp-{pack}")
    stand.use(pack, files={"Procfile": "web: python3 -m http.server --bind 0.0.0.0 $PORT\n", "index.html": "there"})
    stand.deploy()
    assert server.get(stand.app, "/index.html").body == "there"


def test_a_release_that_fails_is_named(stand: Stand) -> None:
    stand.use("broken-release")
    assert "./packs/broken-release (bin/release) failed with exit code 6" in stand.fail()


def test_default_process_types_and_config_vars_serve_the_app_without_a_procfile(stand: Stand) -> None:
    stand.configure(OVERRIDDEN="by the app")
    stand.use("first-types", "bare-release", files={"index.html": "by default"})
    said = stand.deploy()
    assert "Default types -> " in said and "stray" not in said
    assert stand.server.get(stand.app, "/index.html").body == "by default"
    assert stand.run("'echo $FROM_RELEASE, $OVERRIDDEN, $FIRST'") == "a: quoted # value, by the app, one\n"
    assert "worker" in stand.server.ssh(f"ps {stand.app}").stdout


def test_a_procfile_adds_to_the_default_process_types_and_overrides_them(stand: Stand) -> None:
    served = "cd site && python3 -m http.server --bind 0.0.0.0 $PORT"
    stand.use("bare-release", files={"Procfile": f"web: {served}\nextra: sleep 9\n", "site/index.html": "mine"})
    said = stand.deploy()
    assert "Procfile declares types -> web, extra" in said and "console" in said
    assert stand.server.get(stand.app, "/index.html").body == "mine"


def test_profile_scripts_are_sourced_before_every_process_and_the_apps_own_comes_last(stand: Stand) -> None:
    mine = 'export FROM_PROFILE="$FROM_PROFILE_D, then mine"\n'
    stand.use("profile", files={".profile": mine})
    stand.deploy()
    assert stand.run("'echo $FROM_PROFILE_D; echo $FROM_PROFILE; echo $DECLARED_THERE; cat made.txt'") == (
        "home /app\nhome /app, then mine\ntoo\nmade\n"
    )
    assert "wrong time" not in stand.server.ssh(f"logs {stand.app}").stdout


def test_a_cache_lives_from_build_to_build_until_a_push_asks_for_none(stand: Stand) -> None:
    stand.use("counter")
    assert "build 1 of this cache" in stand.build()
    assert "build 2 of this cache" in stand.build()
    assert "build 1 of this cache" in stand.build("-o", "no-cache")
    assert "build 2 of this cache" in stand.build()


def test_nothing_that_a_build_leaves_is_found_by_the_next_one(stand: Stand) -> None:
    stand.use("leaves", "words", files={"tracked.txt": "as committed"})
    assert "left from before: nothing" in stand.build()
    stand.server.commit(stand.folder, {"packs/leaves/bin/compile": "#!/bin/bash\nls -d $1/left; cat $1/tracked.txt\n"})
    said = stand.build()
    assert "as committed" in said and "/app/left\n" not in said


def test_the_build_folder_is_where_the_app_will_be(stand: Stand) -> None:
    stand.use("temp-home")
    said = stand.build()
    assert "build folder and /app: same" in said and "one folder" in said


def test_a_buildpack_that_fails_or_is_killed_says_how(server: Server, folder: Path) -> None:
    stand = Stand(server, folder, "bp-ends")
    stand.use("aborts")
    said = stand.fail()
    assert "out of luck" in said and "./packs/aborts (bin/compile) failed with exit code 7" in said
    stand.use("dies")
    assert "./packs/dies (bin/compile) was ended by SIGKILL" in stand.fail()


def test_a_process_that_a_buildpack_leaves_behind_ends_with_the_build(stand: Stand) -> None:
    stand.use("background")
    said = stand.build()
    assert "left one behind" in said and "still here" not in said
    assert until(lambda: stand.server.containers(role="build", app=stand.app) == [])


def test_whatever_a_buildpack_prints_arrives_as_text(stand: Stand) -> None:
    stand.use("noise")
    said = stand.build()
    assert "� odd bytes" in said and "no newline at the end" in said
    stored = stand.server.ssh(f"builds {stand.app} --json").stdout
    assert "succeeded" in stored or "failed" in stored


def test_a_build_sees_neither_the_engine_nor_the_registry_nor_another_apps_cache(
    server: Server, tmp_path: Path
) -> None:
    ports = (server.settings.registry_port, server.http_port, server.ssh_port, 2375, 2376, 2377, 7946)
    targets = " ".join(f"127.0.0.1:{port}" for port in ports)
    for number in (1, 2):
        place = tmp_path / f"spy{number}"
        place.mkdir()
        stand = Stand(server, place, f"bp-spy-{number}")
        stand.configure(TARGETS=targets, NAME=stand.app)
        stand.use("spy")
        said = stand.build()
        assert "REACHED" not in said
        assert "secrets in sight: 1\n" in said, said
        assert "1000" in said and "CapEff:\t0000000000000000" in said
