"""What keys and tokens are made for, as options: `--role deployer --only APP --expires 30d`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mothership.commands.access import role
from mothership.commands.house import House
from mothership.commands.verb import moment, option
from mothership.errors import Invalid
from mothership.model import Role, User
from mothership.store.accounts import Grant

UNITS = {"h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=3650)


def role_option() -> Any:
    return option("--role", default="", help="At most viewer, deployer or operator, and nothing but apps.")


def only_option() -> Any:
    return option("--only", default="", help="For this app alone.")


def expires_option() -> Any:
    return option("--expires", default="", help="For so long only, such as 12h, 30d or 8w.")


def granted(house: House, user: User, *, most: str, only: str, expires: str) -> Grant:
    """The options as a grant. Raises Invalid, NotFound."""
    if only:
        house.app(only, user)
    return Grant(role(most) if most else Role.OWNER, only, _until(expires))


def described(row: Mapping[str, Any]) -> dict[str, str | None]:
    """A key's or token's grant as columns of a listing."""
    most = Role(row["most"])
    role = None if most is Role.OWNER else most.title
    return {"role": role, "only": row["scope"] or None, "expires": moment(row["expires"])}


def _until(text: str) -> str:
    if not text:
        return ""
    match = re.fullmatch(r"(\d{1,5})([hdw])", text)
    if not match or not timedelta(0) < (time := timedelta(**{UNITS[match[2]]: int(match[1])})) <= LONGEST:
        raise Invalid(f"{text[:40]!r} is not a length of time.", "Such as 12h, 30d or 8w, up to ten years.")
    return (datetime.now(UTC) + time).isoformat(timespec="microseconds")
