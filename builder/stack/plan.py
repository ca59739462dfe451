"""What the stack consists of, as plain data: which images, made from what, known by which hash of their inputs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SUITE = "trixie"
ROOT = Path(__file__).parent.parent
"""The build context: Dockerfiles and package lists in `stack/`, the launcher's source in `launcher/`."""

TOOLS = {
    "UV": "0.13.9",
    "CADDY": "2.11.7",
    "NODE": "22.23.3",
    "NPM": "10.9.9",
    "COREPACK": "0.36.0",
}
STACK_LABEL = "mothership.stack"
INPUTS_LABEL = "mothership.inputs"
PARENT_LABEL = "mothership.parent"
EXTRAS_LABEL = "mothership.extras"


@dataclass(frozen=True)
class StackImage:
    """One image of the stack. `purpose` is for people; `inputs` changes whenever anything it is made from does."""

    kind: str
    name: str
    purpose: str
    inputs: str
    parent: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    extras: tuple[str, ...] = ()

    @property
    def dockerfile(self) -> Path:
        return ROOT / "stack" / self.kind / "Dockerfile"

    def labels(self, stack: str) -> dict[str, str]:
        more = {EXTRAS_LABEL: " ".join(self.extras)} if self.extras else {}
        return {STACK_LABEL: stack, INPUTS_LABEL: self.inputs, **more}


def run_image(stack: str) -> str:
    return f"mothership/stack-run:{stack}"


def build_image(stack: str) -> str:
    return f"mothership/stack-build:{stack}"


def platform_image(stack: str) -> str:
    return f"mothership/platform:{stack}"


def plan(stack: str, root: Path = ROOT) -> tuple[StackImage, ...]:
    """The images in the order they are made: base, run, build, platform."""
    base = StackImage("base", f"mothership/stack-base:{stack}", "base system (Debian 13)", digest(SUITE))
    common = contents(root / "stack" / "apt.sh")
    run_inputs = digest(base.inputs, common, contents(root / "stack" / "run"))
    run = StackImage("run", run_image(stack), "runtime image", run_inputs, base.name)
    build_inputs = digest(
        run.inputs,
        common,
        contents(root / "stack" / "build"),
        contents(root / "stack" / "tools.sh"),
        contents(root / "launcher" / "launcher.c"),
        repr(sorted(TOOLS.items())),
    )
    build = StackImage("build", build_image(stack), "build image (toolchains)", build_inputs, run.name, TOOLS)
    platform_inputs = digest(run.inputs, common, contents(root / "stack" / "platform"))
    platform = StackImage("platform", platform_image(stack), "proxy and registry image", platform_inputs, run.name)
    return base, run, build, platform


def contents(path: Path) -> str:
    """A hash of a file, or of a directory's files with their names."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return digest(*(f"{file.name}\0{file.read_text()}" for file in files))


def digest(*parts: str) -> str:
    return hashlib.sha256("\0\0".join(parts).encode()).hexdigest()[:16]
