"""The daemon's own log: key-value lines on standard error."""

import sys

import structlog


def configure() -> None:
    """Render structlog events as logfmt lines with a UTC timestamp."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def logger() -> structlog.typing.FilteringBoundLogger:
    """The structured logger every room uses."""
    return structlog.get_logger()  # type: ignore[no-any-return]
