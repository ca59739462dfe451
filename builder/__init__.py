"""Source to image: buildpacks or a Dockerfile, cut into layers and put into the registry."""

from builder.build import Builder
from builder.source import Source

__all__ = ["Builder", "Source"]
