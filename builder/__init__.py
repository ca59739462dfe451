"""Source to image: buildpacks or a Dockerfile, cut into layers and put into the registry."""

from builder.build import Builder
from builder.prune import Kept
from builder.source import Source

__all__ = ["Builder", "Kept", "Source"]
