"""What a buildpack's bin/release prints: a small YAML document (Heroku, "Buildpack API")."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.text import document, scalars


@dataclass(frozen=True)
class ReleaseInfo:
    """Default process types, and default config vars."""

    processes: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)


def read_release(text: str) -> ReleaseInfo:
    """Parse the output of bin/release; nothing, `{}` and missing sections are fine."""
    found = document(text)
    return ReleaseInfo(scalars(found.get("default_process_types")), scalars(found.get("config_vars")))
