"""doctor, cleanup, builds:prune: looking after the server itself."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import Verb, json_option, option, output, say, table
from mothership.errors import Refused
from mothership.releases.doctor import Finding


@dataclass(frozen=True)
class DoctorArgs:
    repair: bool = option("--repair", default=False, help="Mend what can be mended, then look again.")
    json: bool = json_option()


@dataclass(frozen=True)
class CleanupArgs:
    pass


@dataclass(frozen=True)
class PruneArgs:
    only: str = option("--only", default="", help="Only what is kept for this app.")
    days: int = option("--days", default=-1, help="Not built for so many days; 0 for all. Else the server's setting.")
    dry_run: bool = option("--dry-run", default=False, help="Only say what would go.")
    json: bool = json_option()


async def doctor(house: House, caller: Session, args: DoctorArgs) -> int:
    """Say of everything that must agree whether it does; 1 when something doesn't."""
    _admins_only(caller)
    if args.repair:
        output(caller, as_json=args.json).raw("Repairing…")
        await house.doctor.repair()
    if args.json:
        findings = [finding async for finding in house.doctor.look()]
        table(caller, [_row(finding) for finding in findings], as_json=True, empty="")
        return int(not all(finding.ok for finding in findings))
    wrong = 0
    async for finding in house.doctor.look():
        wrong += not finding.ok
        say(caller, f"{'✓' if finding.ok else '✗'} {finding.subject}")
        for text in filter(None, (finding.wrong, finding.remedy)):
            say(caller, f"    {text}")
    say(caller, "All is well." if not wrong else f"{wrong} {'thing needs' if wrong == 1 else 'things need'} attention.")
    return int(wrong > 0)


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "subject": finding.subject,
        "ok": finding.ok,
        "wrong": finding.wrong or None,
        "remedy": finding.remedy or None,
    }


async def cleanup(house: House, caller: Session, args: CleanupArgs) -> None:
    """Take old images away now, and not only by and by."""
    _admins_only(caller)
    say(caller, f"Removing images that no app's last {house.settings.keep_releases} releases need…")
    freed = await house.cleanup.once()
    images = "1 image" if freed.images == 1 else f"{freed.images} images"
    say(caller, f"Removed {images}; the registry is {freed.size / 1e6:.0f} MB smaller.")
    if freed.apps:
        say(caller, f"Removed what was kept for builds of {', '.join(freed.apps)}: {freed.kept / 1e6:.0f} MB.")


async def prune(house: House, caller: Session, args: PruneArgs) -> None:
    """Take away workspaces and caches, which only make the next build quicker."""
    _admins_only(caller)
    days = None if args.days < 0 else float(args.days)
    gone = await house.cleanup.prune(days=days, only=args.only, dry_run=args.dry_run)
    rows = [
        {
            "app": each.app,
            "workspace_mb": round(each.workspace / 1e6),
            "cache_mb": round(each.cache / 1e6),
            "built": datetime.fromtimestamp(each.built, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for each in gone
    ]
    table(caller, rows, as_json=args.json, empty="Nothing is older or larger than it may be.")
    if rows and not args.json:
        total = sum(each.size for each in gone) / 1e6
        say(
            caller,
            f"{'Would remove' if args.dry_run else 'Removed'} {total:.0f} MB. These apps' next builds are full ones.",
        )


def _admins_only(caller: Session) -> None:
    if not caller.user.admin:
        raise Refused("Only an admin of this server may do that.")


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "doctor",
        "Check that everything agrees (admins).",
        DoctorArgs,
        doctor,
        ("doctor", "doctor --repair"),
        admin=True,
        columns=("subject", "ok: boolean", "wrong?", "remedy?"),
    ),
    Verb(
        "builds:prune",
        "Remove what is kept for builds, by age and size (admins).",
        PruneArgs,
        prune,
        ("builds:prune --dry-run", "builds:prune --days 30", "builds:prune --only blog --days 0"),
        admin=True,
        columns=("app", "workspace_mb: integer", "cache_mb: integer", "built: time"),
    ),
    Verb("cleanup", "Remove old images now (admins).", CleanupArgs, cleanup, admin=True),
)
