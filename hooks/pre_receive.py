"""May these refs move, and what does moving them mean? Decided here, from plain data."""

import re
from dataclasses import dataclass

from mothership.errors import Invalid, Refused
from mothership.model import Push, RefUpdate, app_name

KNOWN_OPTIONS = {
    "no-cache": "build from scratch",
    "dry-run": "build, then reject the push without a release",
    "detach": "return at once; the server goes on by itself",
    "skip-release": "leave out the release phase's commands",
}
BRANCH = "refs/heads/"
PREVIEW = f"{BRANCH}preview/"
TAG = "refs/tags/"
REF_NAME = re.compile(r"refs/[^\x00-\x20\x7f~^:?*\[\\]+")


@dataclass(frozen=True)
class Options:
    """The push options (`git push -o`) that Mothership knows."""

    no_cache: bool = False
    dry_run: bool = False
    detach: bool = False
    skip_release: bool = False


@dataclass(frozen=True)
class Decision:
    """What a push means: an update to deploy (None for none), and notes for the refs that are only stored."""

    deploy: RefUpdate | None
    options: Options
    notes: tuple[str, ...] = ()
    branch: str = ""
    """The deploy branch after this push, when the push is what settles it."""

    previews: tuple[RefUpdate, ...] = ()
    """Updates of preview branches, each to be deployed to a preview app of its own, or to take one away."""


def options(given: tuple[str, ...]) -> Options:
    """Parse push options. Raises Invalid for an unknown one."""
    for option in given:
        if option not in KNOWN_OPTIONS:
            known = ", ".join(f"{name} ({what})" for name, what in KNOWN_OPTIONS.items())
            shown = re.sub(r"[^\x20-\x7e]", "?", option)[:60]
            raise Invalid(f"Unknown push option {shown!r}.", f"Known: {known}.", reason="unknown push option")
    chosen = Options(
        no_cache="no-cache" in given,
        dry_run="dry-run" in given,
        detach="detach" in given,
        skip_release="skip-release" in given,
    )
    if chosen.dry_run and chosen.detach:
        raise Invalid("A dry run can't be detached: its push is what is rejected.", reason="dry-run with detach")
    return chosen


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
    previews = tuple(u for u in push.updates if u.ref.startswith(PREVIEW) and u is not deploy)
    for update in previews:
        preview_name(update, push.app)
    if previews and (deploy or len(previews) > 1):
        raise Invalid("Push one branch that deploys at a time.", reason="more than one branch to deploy")
    if previews and (chosen.detach or chosen.dry_run):
        raise Invalid("A preview is pushed without -o detach and -o dry-run.", reason="not for previews")
    if (chosen.dry_run or chosen.detach) and not deploy:
        what = "dry run" if chosen.dry_run else "detach"
        raise Invalid(f"Nothing to build: this push doesn't touch {branch}.", reason=f"{what}: nothing to build")
    notes = tuple(_note(u, branch, remote) for u in push.updates if u is not deploy and u not in previews)
    return Decision(deploy=deploy, options=chosen, notes=notes, branch=branch, previews=previews)


def preview_name(update: RefUpdate, app: str) -> str:
    """The preview app of a preview branch, `NAME--APP`. Raises Invalid."""
    name = update.ref.removeprefix(PREVIEW)
    try:
        return f"{app_name(name)}--{app}"
    except Invalid as error:
        raise Invalid(
            f"{name[:60]!r} can't name a preview: {error.message}",
            f"Such as: git push mothership my-branch:preview/try-1. {error.hint}",
            reason="invalid preview name",
        ) from error


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
