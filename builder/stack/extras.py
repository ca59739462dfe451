"""Extras: Debian packages that a language needs on top of the stack, installed once per server when an app asks.

`extras/NAME.run` lists what its apps need while they run, `extras/NAME.build` what only their builds need. A line
`# suite: NAME` takes an extra's packages from that Debian suite. Several extras combine into one image.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from builder.stack.plan import ROOT, StackImage, contents, digest, plan
from mothership.errors import Invalid

NAME = re.compile(r"[a-z][a-z0-9.-]{0,40}")
FOLDER = Path("stack") / "extras"


def known(root: Path = ROOT) -> tuple[str, ...]:
    """The names of all extras there are."""
    folder = root / FOLDER
    return tuple(sorted({path.stem for path in folder.iterdir() if path.suffix in (".run", ".build")}))


def extras(names: Iterable[str], root: Path = ROOT) -> tuple[str, ...]:
    """The names in the one order that image tags have. Raises Invalid for a name that is no extra."""
    found = tuple(sorted(set(names)))
    for name in found:
        if name not in known(root):
            raise Invalid(f"{name[:60]!r} is nothing that the stack can have.", f"There is: {', '.join(known(root))}")
    return found


def tag(stack: str, names: tuple[str, ...]) -> str:
    """The tag of the stack's images with these extras, such as `heroku-24-java-21-ruby`."""
    return "-".join((stack, *names))


def extended(stack: str, names: tuple[str, ...], root: Path = ROOT) -> tuple[StackImage, ...]:
    """The run and the build image with these extras, each on top of the stack's own."""
    _, run, build, _ = plan(stack, root)
    return (
        _on_top(run, "run", stack, _lists(names, ("run",), root), names, root),
        _on_top(build, "build", stack, _lists(names, ("run", "build"), root), names, root),
    )


def _on_top(
    base: StackImage, kind: str, stack: str, lists: tuple[str, ...], names: tuple[str, ...], root: Path
) -> StackImage:
    words = " ".join(names)
    return StackImage(
        kind="extras",
        name=f"{base.name.partition(':')[0]}:{tag(stack, names)}",
        purpose=f"{words} for {'apps' if kind == 'run' else 'builds'}",
        inputs=digest(
            base.inputs,
            contents(root / FOLDER / "install.sh"),
            contents(root / FOLDER / "Dockerfile"),
            *(f"{name}\0{contents(root / FOLDER / name)}" for name in lists),
        ),
        parent=base.name,
        arguments={"LISTS": " ".join(lists)},
        extras=names,
    )


def _lists(names: tuple[str, ...], kinds: tuple[str, ...], root: Path) -> tuple[str, ...]:
    wanted = (f"{name}.{kind}" for name in names for kind in kinds)
    return tuple(name for name in wanted if (root / FOLDER / name).exists())
