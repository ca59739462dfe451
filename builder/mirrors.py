"""Mirrors: what an admin has builds fetch from elsewhere, by URL prefix (`[mirrors]` in mothership.toml).

`"https://github.com/" = "https://git.corp.example/mirror/"`, or a folder of the server. Git rewrites by itself; curl
and wget by the words of their command line; each package manager through its own setting for its public registry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from mothership.engine import Bind

FOLDER = "/mirrors"
PYPI, NPM = "https://pypi.org/simple", "https://registry.npmjs.org"
GEMS, CRATES = "https://rubygems.org", "https://index.crates.io"
GO, MAVEN = "https://proxy.golang.org", "https://repo.maven.apache.org/maven2"
PACKAGIST, RUSTUP = "https://repo.packagist.org", "https://static.rust-lang.org"

VARIABLES: Mapping[str, tuple[str, ...]] = {
    PYPI: ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    NPM: ("npm_config_registry", "YARN_NPM_REGISTRY_SERVER", "COREPACK_NPM_REGISTRY", "NPM_CONFIG_REGISTRY"),
    GEMS: ("BUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/",),
    GO: ("GOPROXY",),
    RUSTUP: ("RUSTUP_DIST_SERVER",),
    PACKAGIST: ("PACKAGIST_MIRROR",),
}
"""What tells a package manager where its registry is: pip, uv, npm, yarn, corepack, bundler, go, rustup, and Composer
by our PHP buildpack."""


PLACES = {"cargo.toml": "/.cargo/config.toml", "gitconfig": "/etc/gitconfig"}
"""Where a file is found by its program without being told."""


@dataclass(frozen=True)
class Mirrors:
    """How a build is told: mounts, environment variables, and files in `/mothership`."""

    binds: tuple[Bind, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def mirrors(prefixes: Mapping[str, str]) -> Mirrors:
    """What the prefixes come to in a build. A folder is mounted read-only and becomes a file URL."""
    binds: list[Bind] = []
    targets: dict[str, str] = {}
    for number, (prefix, target) in enumerate(sorted(prefixes.items(), key=lambda pair: -len(pair[0]))):
        if target.startswith("/"):
            binds.append(Bind(target.rstrip("/"), f"{FOLDER}/{number}", read_only=True))
            target = f"file://{FOLDER}/{number}{'/' if prefix.endswith('/') else ''}"
        targets[prefix] = target
    if not targets:
        return Mirrors()
    local = {"GIT_ALLOW_PROTOCOL": "https:http:git:ssh:file"} if binds else {}
    return Mirrors(tuple(binds), {**local, **_managers(targets)}, _files(targets))


def rewritten(url: str, prefixes: Mapping[str, str]) -> str:
    """A URL by the longest prefix that fits, else as it is."""
    for prefix in sorted(prefixes, key=len, reverse=True):
        if url.startswith(prefix):
            return prefixes[prefix] + url[len(prefix) :]
    return url


def _managers(targets: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for registry, names in VARIABLES.items():
        if (mirror := _mirror(registry, targets)) != registry:
            found |= dict.fromkeys(names, mirror)
    return found


def _files(targets: Mapping[str, str]) -> dict[str, str]:
    """Files for what takes no variable: the words that curl and wget rewrite, and git's, cargo's, Maven's settings."""
    files = {
        "mirrors": "".join(f"{prefix}\t{target}\n" for prefix, target in targets.items()),
        "gitconfig": "[safe]\n\tdirectory = *\n"
        + "".join(f'[url "{target}"]\n\tinsteadOf = {prefix}\n' for prefix, target in targets.items()),
    }
    if (crates := _mirror(CRATES, targets)) != CRATES:
        files["cargo.toml"] = (
            f'[source.crates-io]\nreplace-with = "mirror"\n[source.mirror]\nregistry = "sparse+{crates.rstrip("/")}/"\n'
        )
    if (maven := _mirror(MAVEN, targets)) != MAVEN:
        files["settings.xml"] = (
            "<settings><mirrors><mirror><id>mirror</id><mirrorOf>central</mirrorOf>"
            f"<url>{escape(maven)}</url></mirror></mirrors></settings>\n"
        )
    return files


def _mirror(registry: str, targets: Mapping[str, str]) -> str:
    """Where a registry's requests go, itself when no prefix fits."""
    return rewritten(f"{registry}/", targets).removesuffix("/")
