"""Hostname to running release: a pure table and the driver that keeps HAProxy equal to it."""

from router.haproxy import Router
from router.probe import Reply
from router.table import Server, Target

__all__ = ["Reply", "Router", "Server", "Target"]
