"""The one room that speaks to the container engine."""

from mothership.engine.calls import EngineError
from mothership.engine.client import Engine
from mothership.engine.container import Bind, ContainerSpec
from mothership.engine.ensure import ensure
from mothership.engine.stream import Stream

__all__ = ["Bind", "ContainerSpec", "Engine", "EngineError", "Stream", "ensure"]
