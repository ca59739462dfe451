"""May these refs move, and what does moving them mean? Decided here, from plain data."""

import re
from dataclasses import dataclass

from mothership.errors import Invalid, Refused
from mothership.model import Push, RefUpdate

KNOWN_OPTIONS = {
    "no-cache": "build from scratch",
    "dry-run": "build, then reject the push without a release",
}
BRANCH = "refs/heads/"
TAG = "refs/tags/"
REF_NAME = re.compile(r"refs/[^\x00-\x20\x7f~^:?*\[\\]+")


@dataclass(frozen=True)
class Options:
    """The push options (`git push -o`) that Mothership knows."""

    no_cache: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Decision:
    """What a push means: a commit to deploy ("" for none), and notes for the refs that are only stored."""

    deploy: RefUpdate | None
    options: Options
    notes: tuple[str, ...] = ()
    branch: str = ""
    """The deploy branch after this push, when the push is what settles it."""


def options(given: tuple[str, ...]) -> Options:
    """Parse push options. Raises Invalid for an unknown one."""
    for option in given:
        if option not in KNOWN_OPTIONS:
            known = ", ".join(f"{name} ({what})" for name, what in KNOWN_OPTIONS.items())
            shown = re.sub(r"[^\x20-\x7e]", "?", option)[:60]
            raise Invalid(f"Unknown push option {shown!r}.", f"Known: {known}.", reason="unknown push option")
    return Options(no_cache="no-cache" in given, dry_run="dry-run" in given)


def decide(push: Push, *, branch: str, released: bool, remote: str = "mothership") -> Decision:
    """Say what a push means for an app whose deploy branch is `branch`. Raises Refused, Invalid."""
    chosen = options(push.options)
    branch = _settled(push, branch, released=released)
    target = f"{BRANCH}{branch}"
    deploy = next((update for update in push.updates if update.ref == target), None)
    if deploy and deploy.deletes:
        raise Refused(
            f"{branch} is the deploy branch of {push.app}; it can't be deleted.",
            f"To take the app down: mothership ps:scale web=0. To delete it: mothership apps:destroy --app {push.app}",
            reason="the deploy branch can't be deleted",
        )
    if chosen.dry_run and not deploy:
        raise Invalid(f"Nothing to build: this push doesn't touch {branch}.", reason="dry run: nothing to build")
    notes = tuple(_note(update, branch, remote) for update in push.updates if update is not deploy)
    return Decision(deploy=deploy, options=chosen, notes=notes, branch=branch)


def _settled(push: Push, branch: str, *, released: bool) -> str:
    """`master` becomes the deploy branch when it comes first and `main` doesn't come with it."""
    refs = {update.ref for update in push.updates if not update.deletes}
    if not released and branch == "main" and f"{BRANCH}main" not in refs and f"{BRANCH}master" in refs:
        return "master"
    return branch


def _note(update: RefUpdate, branch: str, remote: str) -> str:
    if update.ref.startswith(BRANCH):
        name = update.ref.removeprefix(BRANCH)
        if update.deletes:
            return f"{name} deleted."
        return f"{name} stored, not deployed. To deploy it: git push {remote} {name}:{branch}"
    if update.ref.startswith(TAG):
        name = update.ref.removeprefix(TAG)
        if update.deletes:
            return f"Tag {name} deleted."
        return f"Tag {name} stored, not deployed. To deploy it: git push {remote} {name}^{{commit}}:{branch}"
    return f"{update.ref} stored."
