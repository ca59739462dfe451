"""Tests of the engine, of buildpacks and of apps run against a real engine, a real daemon and the real git client.

Each pytest worker has one Mothership of its own: an instance name, a data directory, ports.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.server import Server


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The pytest worker's name; MOTHERSHIP_TEST_NAME before it keeps two runs on one engine apart."""
    found = getattr(request.config, "workerinput", {"workerid": "master"})
    return os.environ.get("MOTHERSHIP_TEST_NAME", "") + str(found["workerid"])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A running Mothership with one admin, `ada`; all that it made is gone afterwards."""
    with Server(tmp_path_factory.mktemp("mothership"), f"mst{worker_id}") as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder for an app's source."""
    path = tmp_path / "app"
    path.mkdir()
    yield path
    shutil.rmtree(path, ignore_errors=True)
