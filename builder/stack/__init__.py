"""The stack: the images every app is built in and runs on, made from Debian packages."""

from builder.stack.extras import extras, known, tag
from builder.stack.image import ensure, ensure_extended
from builder.stack.launcher import launcher

__all__ = ["ensure", "ensure_extended", "extras", "known", "launcher", "tag"]
