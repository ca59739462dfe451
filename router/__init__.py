"""Hostname to running release: a pure table and the driver that keeps HAProxy equal to it."""
