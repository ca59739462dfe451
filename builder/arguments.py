"""The build arguments of a Dockerfile, and how they reach the docker command on the host."""

import re
from collections.abc import Mapping

from mothership.errors import Invalid

ARGUMENT = re.compile(r"^[^\S\n]*ARG[^\S\n]+([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE | re.IGNORECASE)
LONGEST, MOST = 32 * 1024, 512 * 1024
"""Bytes of one build argument's value, and of all."""

HARMLESS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OBEYED = re.compile(
    r"(?:LD|DOCKER|BUILDKIT|BUILDX|MOBY|COMPOSE|NOTARY|OTEL|JAEGER|XDG|GIT|MALLOC|LC|EXPERIMENTAL|SSH_SK|SSH_ASKPASS)_.*"
    r"|PATH|HOME|USER|SHELL|TMPDIR|TZ|TZDIR|LANG|LANGUAGE|IFS|ENV|BASH_ENV|TERM|GLIBC_TUNABLES|GCONV_PATH|GETCONF_DIR"
    r"|TRACEPARENT|TRACESTATE|HOSTALIASES|LOCALDOMAIN|LOCPATH|NIS_PATH|NLSPATH|RES_OPTIONS|RESOLV_HOST_CONF"
    r"|SSH_ASKPASS|SSH_AUTH_SOCK|SSL_CERT_FILE|SSL_CERT_DIR|GO(?:DEBUG|TRACEBACK|GC|MAXPROCS|MEMLIMIT|COVERDIR|RACE)",
    re.IGNORECASE,
)
"""Variables that change what the docker command does, or its loader (environ(7), ld.so(8), docker(1))."""


def declared(dockerfile: bytes, config: Mapping[str, str]) -> dict[str, str]:
    """The config vars that the Dockerfile asks for with ARG."""
    names = set(ARGUMENT.findall(dockerfile.decode(errors="replace")))
    return {name: value for name, value in config.items() if name in names}


def passed(arguments: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The words of the docker command that give these arguments, and the variables beside them.

    Values travel in the environment, since others on the host can read argv. Names that the command itself would obey
    don't: a build has no say in what the host does. Their values are paths and settings, not secrets. Raises Invalid
    for more than the kernel lets a command have (execve(2)).
    """
    sizes = [len(value.encode(errors="replace")) for value in arguments.values()]
    if max(sizes, default=0) > LONGEST or sum(sizes) > MOST:
        raise Invalid(
            f"A build argument is longer than {LONGEST >> 10} KiB, or all together than {MOST >> 10} KiB.",
            "Commit what is long as a file, and COPY it.",
            reason="build arguments too long",
        )
    words: list[str] = []
    environment: dict[str, str] = {}
    for name, value in arguments.items():
        if OBEYED.fullmatch(name):
            words += ["--build-arg", f"{name}={value}"]
        elif HARMLESS.fullmatch(name):
            words += ["--build-arg", name]
            environment[name] = value
    return tuple(words), environment
