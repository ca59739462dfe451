"""audit, audit:verify."""

import json
from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Listing, Verb, bounded, json_option, option, positional, say, table
from mothership.errors import MothershipError

SHOWN = 60


@dataclass(frozen=True)
class AuditArgs:
    only: str = positional("APP", default="")
    num: int = option("-n", "--num", default=100, help="How many of the last entries; 0 for all.")
    lines: bool = option("--json-lines", default=False, help="One JSON object a line, oldest first, for an export.")
    json: bool = json_option()


async def audit(house: House, caller: Session, args: AuditArgs) -> None:
    rows = house.audit.list(app=args.only, limit=bounded(args.num, least=0))
    if args.lines:
        for row in reversed(rows):
            say(caller, json.dumps(row))
            await caller.drain()
        return
    if args.json:
        table(caller, rows, as_json=True, empty="")
        return
    shown = [
        {
            "entry": row["id"],
            "at": row["at"][:19] + "Z",
            "user": row["user"],
            "from": row["remote"],
            "by": row["door"],
            "what": f"{row['action']} {row['app']} {row['detail']}".strip()[:SHOWN],
            "outcome": row["outcome"][:SHOWN],
        }
        for row in rows
    ]
    table(caller, shown, as_json=False, empty="Nothing has been changed yet.")


async def verify(house: House, caller: Session, args: Listing) -> None:
    wrong = house.audit.verify()
    if wrong:
        raise MothershipError(f"The audit trail is not what was written. {wrong}", "Compare it with an earlier export.")
    rows = house.audit.list(limit=1)
    if args.json:
        say(caller, json.dumps({"whole": True, "entries": rows[0]["id"] if rows else 0}))
        return
    say(caller, f"The audit trail is whole: {rows[0]['id'] if rows else 0} entries.")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "audit",
        "List who changed what, and what was refused (admins).",
        AuditArgs,
        audit,
        ("audit", "audit blog -n 20", "audit -n 0 --json-lines"),
        admin=True,
        reads=True,
        columns=(
            "id: integer",
            "at: time",
            "user",
            "remote",
            "door",
            "action",
            "app",
            "detail",
            "outcome",
            "seal",
        ),
    ),
    Verb(
        "audit:verify",
        "Check that nobody changed the audit trail (admins).",
        Listing,
        verify,
        admin=True,
        reads=True,
        columns=(
            "whole: boolean",
            "entries: integer",
        ),
        single=True,
    ),
)
