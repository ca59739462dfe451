"""How a failure reads at the doors: the user's own in full, a bug of ours as a reference into the log."""

import secrets

from mothership.errors import MothershipError
from mothership.log import logger
from mothership.output import Output


class Bug(MothershipError):
    """Ours, not the user's; the log has the details under the reference."""

    reason = "internal error"


def explained(error: Exception, where: str) -> MothershipError:
    """The error as a user may see it; anything that isn't meant for users is logged and becomes a Bug."""
    if isinstance(error, MothershipError):
        return error
    reference = secrets.token_hex(4)
    logger().error("bug", reference=reference, where=where, exc_info=error)
    return Bug(
        f"Mothership hit a bug (reference {reference}).",
        "This is not your doing. The server's log has the details under that reference.",
        reason=f"internal error {reference}",
    )


def tell(out: Output, error: MothershipError) -> None:
    """Say what happened and what to do next."""
    out.error(error.message)
    if error.hint:
        out.error(error.hint)


def text(error: MothershipError) -> str:
    """The same as plain text."""
    return "\n".join(part for part in (error.message, error.hint) if part)
