"""doctor, cleanup: looking after the server itself."""

from dataclasses import dataclass
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
    say(caller, f"Removed {freed.images} images; the registry is {freed.size / 1e6:.0f} MB smaller.")


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
    Verb("cleanup", "Remove old images now (admins).", CleanupArgs, cleanup, admin=True),
)
