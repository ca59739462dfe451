"""apps, apps:create, apps:info, apps:destroy, apps:branch."""

from dataclasses import dataclass
from typing import Any

from mothership.commands.house import House
from mothership.commands.session import Session
from mothership.commands.verb import (
    AppListing,
    Listing,
    Verb,
    ended,
    moment,
    option,
    output,
    positional,
    say,
    table,
)
from mothership.errors import Invalid, Refused
from mothership.model import Role, app_name

LONGEST_ANSWER = 1000


@dataclass(frozen=True)
class BranchArgs:
    app: str
    branch: str = positional("BRANCH")


@dataclass(frozen=True)
class CreateArgs:
    name: str = positional("NAME")


@dataclass(frozen=True)
class RenameArgs:
    app: str
    name: str = positional("NEW-NAME")


@dataclass(frozen=True)
class TransferArgs:
    app: str
    user: str = positional("USER")


@dataclass(frozen=True)
class DestroyArgs:
    app: str
    confirm: str = option("--confirm", default="", help="The app's name once more.")


async def apps(house: House, caller: Session, args: Listing) -> None:
    rows, serving = [], house.releases.serving()
    for app in house.apps.visible(caller.user):
        release = serving.get(app.name)
        running = {p: n for p, n in release.formation.items() if n} if release else {}
        rows.append(
            {
                "app": app.name,
                "release": f"v{release.version}" if release else None,
                "processes": " ".join(f"{p}={n}" for p, n in running.items()),
                "url": house.settings.app_url(app.name),
            }
        )
    table(caller, rows, as_json=args.json, empty="No apps yet. Make one by pushing: git push mothership main")


async def create(house: House, caller: Session, args: CreateArgs) -> None:
    if not house.accounts.may_create(caller.user):
        raise Refused("You may not create apps on this server.", "Ask an admin.")
    app = house.apps.create(args.name, caller.user)
    await house.repos.create(app.name, branch=app.branch)
    say(caller, f"Created {app.name}. It will be at {house.settings.app_url(app.name)}")
    say(caller, f"Deploy to it: git push ssh://mothership@HOST:{house.settings.ssh_port}/{app.name} {app.branch}")


async def info(house: House, caller: Session, args: AppListing) -> None:
    app = house.app(args.app, caller.user)
    release = house.releases.current(app.name)
    row = {
        "app": app.name,
        "url": house.settings.app_url(app.name),
        "branch": app.branch,
        "release": f"v{release.version}" if release else None,
        "commit": (release.commit or None) if release else None,
        "image": release.image.digest if release else None,
        "created": moment(app.created),
    }
    if args.json:
        table(caller, [row], as_json=True, empty="")
        return
    for name, value in row.items():
        say(caller, f"{name + ':':<10}{value or '-'}")


async def branch(house: House, caller: Session, args: BranchArgs) -> None:
    app = house.app(args.app, caller.user)
    if (
        not args.branch
        or args.branch.startswith("-")
        or any(c in args.branch for c in " ~^:?*[\\\0\n")
        or ".." in args.branch
    ):
        raise Invalid(f"{args.branch[:60]!r} is not a branch name.")
    house.apps.set_branch(app, args.branch)
    say(caller, f"{app.name} deploys the branch {args.branch} from now on.")


async def rename(house: House, caller: Session, args: RenameArgs) -> None:
    """The new name's release starts beside the old one's; the old address ends when the new one serves."""
    app, out = house.app(args.app, caller.user), output(caller)
    app_name(args.name)
    async with house.locks.hold(app.name, out), house.locks.hold(args.name, out):
        renamed = await house.deployer.renaming.rename(app, args.name, caller.user.name, out)
    say(caller, f"{app.name} is {renamed.name} now: {house.settings.app_url(renamed.name)}")
    say(caller, f"In your clones: git remote set-url mothership …/{renamed.name}")


async def transfer(house: House, caller: Session, args: TransferArgs) -> None:
    """The new owner decides from now on; the old one has no access unless it is given back."""
    app = house.app(args.app, caller.user)
    owner = house.accounts.user(args.user)
    house.apps.transfer(app, owner)
    say(caller, f"{app.name} is {owner.name}'s now.")


async def destroy(house: House, caller: Session, args: DestroyArgs) -> None:
    app = house.app(args.app, caller.user)
    if app.owner != caller.user.id and not caller.user.admin:
        raise Refused(f"Only the owner of {app.name} or an admin can destroy it.")
    warning = f"This deletes {app.name} with its releases, its configuration and its repository, for good."
    if (args.confirm or await _asked(caller, app.name, warning)) != app.name:
        raise Refused(warning, f"If you mean it: apps:destroy --app {app.name} --confirm {app.name}")
    async with house.locks.hold(app.name, output(caller)):
        await house.deployer.forget(app)
    say(caller, f"Destroyed {app.name}.")


async def _asked(caller: Session, app: str, warning: str) -> str:
    """What the caller answers when asked for the app's name; nothing when there is nobody to ask."""
    caller.write_error(ended(f"{warning}\nType {app} to go on:", caller))
    answer = b""
    while b"\n" not in answer and b"\r" not in answer and len(answer) < LONGEST_ANSWER:
        if not (data := await caller.read()):
            break
        answer += data
        if caller.terminal:
            caller.write(data)
    return answer.decode(errors="replace").strip()


VERBS: tuple[Verb[Any], ...] = (
    Verb(
        "apps",
        "List your apps.",
        Listing,
        apps,
        ("apps", "apps --json"),
        reads=True,
        columns=(
            "app",
            "release?",
            "processes",
            "url",
        ),
    ),
    Verb("apps:create", "Make an app; a first push does that too.", CreateArgs, create, ("apps:create blog",)),
    Verb(
        "apps:info",
        "Say what an app is made of.",
        AppListing,
        info,
        ("apps:info blog",),
        role=Role.VIEWER,
        reads=True,
        columns=(
            "app",
            "url",
            "branch",
            "release?",
            "commit?",
            "image?",
            "created: time",
        ),
    ),
    Verb("apps:rename", "Give an app another name.", RenameArgs, rename, ("apps:rename blog news",), role=Role.OWNER),
    Verb(
        "apps:transfer",
        "Give an app to another user.",
        TransferArgs,
        transfer,
        ("apps:transfer blog ada",),
        role=Role.OWNER,
    ),
    Verb("apps:branch", "Choose the branch that deploys.", BranchArgs, branch, ("apps:branch blog production",)),
    Verb(
        "apps:destroy",
        "Delete an app for good.",
        DestroyArgs,
        destroy,
        ("apps:destroy --app blog --confirm blog",),
        role=Role.OWNER,
    ),
)
