"""What a file of the commit says of how the app runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Declaration:
    """Process types to commands, and the `file` that says so.

    A file of another platform's may also have settings: `config`, the names in `unset` of those whose values it leaves
    open, and the command by which it would `build`. `trouble` says why it can't be read.
    """

    file: str
    processes: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    build: str = ""
    trouble: str = ""
