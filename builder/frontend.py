"""The program that reads a Dockerfile: BuildKit's own, or an image that the Dockerfile names.

BuildKit takes the image from the `syntax` directive (Dockerfile reference, "Parser directives"), after `#`, after `//`
or in JSON, and from the build argument BUILDKIT_SYNTAX. What it runs decides what a build is shown to do and what it
takes from the engine, where the images of all apps are: only Docker's own is trusted with that.
"""

import re
from collections.abc import Iterator, Mapping

from mothership.errors import Invalid

OWN = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?:[:@][\w.:-]+)?")
DIRECTIVE = re.compile(r"(?:#|//)\s*syntax\s*=\s*(.*)", re.IGNORECASE)
ARGUMENT = "BUILDKIT_SYNTAX"


def check(dockerfile: bytes, arguments: Mapping[str, str]) -> None:
    """Raises Invalid for a Dockerfile that another program than Docker's own would read."""
    text = dockerfile.decode(errors="replace").removeprefix("\ufeff")
    for named in (*_named(text), *(value for name, value in arguments.items() if name == ARGUMENT)):
        if named.strip() and not OWN.fullmatch(named.strip().partition(" ")[0]):
            raise Invalid(
                f"The Dockerfile is to be read by {named.strip()[:80]!r}; only docker/dockerfile may do that here.",
                "Write # syntax=docker/dockerfile:1 in its first line, or leave the line out.",
                reason="foreign Dockerfile syntax",
            )


def _named(text: str) -> Iterator[str]:
    """The images named before the first instruction, wherever there one version of BuildKit or another looks."""
    lines = text.split("\n")
    rest = "\n".join(lines[1:] if text.startswith("#!") else lines).strip()
    if rest.startswith("{"):  # JSON, whatever it says: Docker's own reads none
        yield rest
    for line in lines:
        word = line.strip()
        if match := DIRECTIVE.fullmatch(word):
            yield match[1]
        elif word and not word.startswith(("#", "//")):
            return
