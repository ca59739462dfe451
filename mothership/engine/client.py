"""The engine's face: every call Mothership makes, asynchronous, with errors in the user's words."""

from mothership.engine.containers import Containers
from mothership.engine.images import Images
from mothership.engine.services import Services


class Engine(Containers, Images, Services):
    """One container engine, by default the local one.

    Raises EngineUnavailable when it doesn't answer, NotFound and Conflict as it says, EngineError otherwise.
    """
