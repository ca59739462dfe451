"""The Java buildpack and Gradle: the wrapper's version, where it comes from, and what is said when it can't be had."""

import hashlib
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.server import Server
from tests.engine.test_buildpacks_java import MAIN, PATIENCE

HOST = "https://services.gradle.org/distributions/"
WRAPPER = "gradle/wrapper/gradle-wrapper.properties"
STAND_IN = """\
#!/bin/sh
set -e
case " $* " in *" assemble "*) ;; *) echo "Task not found in: $*" && exit 1 ;; esac
mkdir -p build/classes build/libs
javac -d build/classes src/main/java/Main.java
jar --create --file build/libs/tiny.jar --main-class Main -C build/classes .
"""
BUILD = """\
plugins { id 'java' }
jar { manifest { attributes 'Main-Class': 'Main' } }
"""


def project(version: str, digest: str = "") -> dict[str, str]:
    wrapper = f"distributionUrl={HOST.replace(':', chr(92) + ':')}gradle-{version}-bin.zip\n"
    wrapper += f"distributionSha256Sum={digest}\n" if digest else ""
    files = {"settings.gradle": "rootProject.name = 'tiny'\n", "build.gradle": BUILD, WRAPPER: wrapper}
    return {**files, "src/main/java/Main.java": MAIN, "gradlew": "#!/bin/sh\n"}


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip laid out as Gradle's, with a stand-in for the program: this is about how it gets here."""
    path = tmp_path_factory.mktemp("distributions") / "gradle-8.99-bin.zip"
    with zipfile.ZipFile(path, "w") as archive:
        program = zipfile.ZipInfo("gradle-8.99/bin/gradle")
        program.external_attr = 0o100755 << 16
        program.create_system = 3
        archive.writestr(program, STAND_IN)
    path.parent.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory, worker_id: str, distribution: Path) -> Iterator[Server]:
    """A Mothership whose builds find Gradle's distributions in a folder of the server."""
    root = tmp_path_factory.mktemp("gradle")
    with Server(root, f"mstg{worker_id}", mirrors={HOST: f"{distribution.parent}/"}) as made:
        yield made


def test_the_wrappers_gradle_is_fetched_once_and_builds_the_app(
    mirrored: Server, folder: Path, distribution: Path
) -> None:
    mirrored.commit(folder, project("8.99", hashlib.sha256(distribution.read_bytes()).hexdigest()))
    pushed = mirrored.push(folder, "g-tiny", timeout=PATIENCE)
    assert pushed.code == 0 and "Fetching gradle-8.99" in pushed.text, pushed.text
    assert json.loads(mirrored.get("g-tiny").body)["java"] == 21
    mirrored.commit(folder, {"src/main/java/Main.java": MAIN + "// changed\n"})
    pushed = mirrored.push(folder, "g-tiny", timeout=PATIENCE)
    assert pushed.code == 0 and "Fetching gradle" not in pushed.text, pushed.text


def test_a_distribution_with_another_checksum_is_refused(mirrored: Server, folder: Path) -> None:
    mirrored.commit(folder, project("8.99", "0" * 64))
    pushed = mirrored.push(folder, "g-wrong", timeout=PATIENCE)
    assert pushed.code == 1 and "is not the Gradle whose distributionSha256Sum" in pushed.text, pushed.text


def test_a_distribution_that_can_not_be_fetched_is_named_with_a_way_out(mirrored: Server, folder: Path) -> None:
    mirrored.commit(folder, project("8.98"))
    pushed = mirrored.push(folder, "g-none", timeout=PATIENCE)
    assert pushed.code == 1 and "gradle-8.98-bin.zip" in pushed.text, pushed.text
    assert "GRADLE_DISTRIBUTION_MIRROR" in pushed.text


def test_a_task_of_ones_own_is_run(mirrored: Server, folder: Path) -> None:
    mirrored.commit(folder, project("8.99"))
    assert mirrored.ssh("apps:create g-task").returncode == 0
    assert mirrored.ssh("config:set g-task GRADLE_TASK=shipIt").returncode == 0
    pushed = mirrored.push(folder, "g-task", timeout=PATIENCE)
    assert pushed.code == 1 and "Task not found" in pushed.text and "shipIt" in pushed.text, pushed.text


def test_gradle_itself_builds_a_java_app(server: Server, folder: Path) -> None:
    try:
        urllib.request.urlopen(HOST, timeout=10).close()
    except (urllib.error.URLError, TimeoutError):
        pytest.skip("needs services.gradle.org")
    server.commit(folder, project("8.14.3"))
    pushed = server.push(folder, "g-real", timeout=PATIENCE)
    assert pushed.code == 0, pushed.text
    assert json.loads(server.get("g-real").body)["java"] == 21
