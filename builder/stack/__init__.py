"""The stack: the images every app is built in and runs on, made from Debian packages."""

from builder.stack.image import ensure
from builder.stack.launcher import launcher

__all__ = ["ensure", "launcher"]
