"""The container engine is restarted, and killed, under a running Mothership: all of it comes back by itself."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.namespace import Node
from tests.engine.server import Server, until
from tests.engine.test_road import FILES

RESTORED = 15


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    made = Node(tmp_path_factory.mktemp("node"), 1)
    try:
        made.open()
        made.take_images()
        made.join_swarm_alone()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def inside(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Mothership in the node's namespace, on the node's engine."""
    root = tmp_path_factory.mktemp("inside")
    made = Server(root, "mstnode", prefix=node.prefix, docker_host=f"unix://{node.socket}")
    try:
        made.start()
        yield made
    finally:
        made.kill(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["restart", "kill"])
def test_an_engine_that_goes_and_comes_has_everything_back(
    node: Node, inside: Server, folder: Path, number: signal.Signals
) -> None:
    app = f"engine-{number.name[3:].lower()}"
    inside.commit(folder, FILES)
    pushed = inside.push(folder, app)
    assert pushed.code == 0, pushed.text
    url = f"http://127.0.0.1:{inside.http_port}/"
    assert node.get(url, f"{app}.localhost")[0] == 200
    node.stop_engine(number)
    node.start_engine()
    back = time.monotonic()
    assert until(lambda: node.get(url, f"{app}.localhost")[0] == 200, seconds=60), inside.log()[-3000:]
    print(f"\n{number.name}: served again {time.monotonic() - back:.1f} s after the engine")
    assert until(lambda: inside.ssh("doctor").returncode == 0, seconds=RESTORED), inside.ssh("doctor").stdout
    inside.commit(folder, {"more.txt": "x"})
    again = inside.push(folder, app)
    assert again.code == 0, again.text


def test_what_was_removed_from_the_engine_is_restored(node: Node, inside: Server, folder: Path) -> None:
    inside.commit(folder, FILES)
    assert inside.push(folder, "removed").code == 0
    url = f"http://127.0.0.1:{inside.http_port}/"
    node.docker("rm", "-f", "mstnode-proxy")
    node.docker("service", "rm", "mstnode-removed-web-v1")
    assert until(lambda: node.get(url, "removed.localhost")[0] == 200, seconds=RESTORED), inside.log()[-3000:]
    node.docker("rm", "-f", "mstnode-registry", "mstnode-build-net")
    assert until(lambda: inside.ssh("doctor").returncode == 0, seconds=RESTORED), inside.ssh("doctor").stdout
    inside.commit(folder, {"more.txt": "x"})
    assert inside.push(folder, "removed").code == 0
