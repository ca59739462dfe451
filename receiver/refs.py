"""Whether git would move these refs, asked of git before anything is built: what it refuses later can't be undone."""

from dataclasses import replace
from pathlib import Path

from mothership.errors import Conflict, Invalid
from mothership.model import RefUpdate
from receiver import child
from receiver.gate import Question


async def check(repository: Path, question: Question) -> None:
    """Try the updates in a transaction that is never committed (git-update-ref). Raises Invalid and Conflict.

    Finds bad names, missing objects, branches that aren't commits, names that exclude each other, and refs that are
    no longer where the client saw them; the holder of the push lock has to check the last once more.
    """
    outside = next((u.ref for u in question.updates if not u.ref.startswith("refs/")), "")
    if outside:
        raise Invalid(f"{outside!r} is not a branch or a tag.", "Push to a branch: main", reason="invalid ref name")
    said = await _rehearse(repository, question)
    if not said:
        return
    fresh = Question(tuple(replace(u, old="") for u in question.updates if not u.deletes), (), question.quarantine)
    if not await _rehearse(repository, fresh):
        raise Conflict("Somebody else has pushed meanwhile.", "Fetch, merge, and push again.", reason="fetch first")
    raise Invalid(f"git can't store this push: {said}", "Nothing was changed.", reason="ref can't be stored")


async def _rehearse(repository: Path, question: Question) -> str:
    """What git has against it, "" if nothing."""
    command = ["git", "-c", f"safe.directory={repository}", f"--git-dir={repository}", "update-ref", "--stdin", "-z"]
    env = child.environment(**_objects(repository, question.quarantine))
    steps = ["start", *(step for u in question.updates for step in _steps(u)), "prepare", "abort"]
    said: list[bytes] = []
    async with child.spawned(command, env, said.append) as git:
        assert git.stdin and git.stdout
        git.stdin.write("\0".join([*steps, ""]).encode())
        git.stdin.close()
        await git.stdout.read()
    return b"".join(said).decode(errors="replace").strip().removeprefix("fatal: ") if git.returncode else ""


def _objects(repository: Path, quarantine: str) -> dict[str, str]:
    """Where the objects are: the quarantine's own first, without git's ban on moving refs inside of one."""
    if not quarantine:
        return {}
    return {"GIT_OBJECT_DIRECTORY": quarantine, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository / "objects")}


def _steps(update: RefUpdate) -> list[str]:
    """The update with what it expects to find; an empty `old` is any value, zeros are none."""
    if update.deletes:
        return [] if update.creates else [f"delete {update.ref}", update.old]
    return [f"update {update.ref}", update.new, update.old]
