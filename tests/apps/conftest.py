"""The apps run on the engine tests' own server."""

from tests.engine.conftest import folder, server, worker_id

__all__ = ["folder", "server", "worker_id"]
