"""Sources that the server fetches itself: a git repository's commit, or a file, brought in by a builder's container."""

import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from builder import addresses
from builder.certificates import BUNDLE, CA_VARIABLES
from builder.desk import OWNER
from builder.limits import time_limit
from builder.mirrors import rewritten
from builder.service import network_name
from builder.source import Key
from mothership.config import Settings
from mothership.engine import Bind, ContainerSpec, Engine
from mothership.errors import BuildFailed, Invalid, TooLarge
from mothership.output import Output

HERE = Path(__file__).parent
PROTOCOLS = ("https", "http", "ssh", "git")
SCP = re.compile(r"(?P<user>[A-Za-z0-9._-]+)@(?P<host>[A-Za-z0-9.-]+):(?P<path>[^:\s].*)")
REF = re.compile(r"(?!-)(?!.*(\.\.|@\{|//|\.lock$))[^\x00-\x20\x7f~^:?*\[\\]{1,250}")
SECONDS = 600
HOSTS = 64 * 1024
HELPER = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$GIT_USER" "$GIT_PASSWORD"; }; f'
"""A credential helper (gitcredentials(7)), so that nothing secret stands in anybody's argv."""


@dataclass(frozen=True)
class Address:
    """Where to fetch from: a URL, and apart from it credentials and `ref`: a branch, tag or commit, "" for HEAD."""

    url: str
    host: str
    ref: str = ""
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        return f"{self.url}#{self.ref}" if self.ref else self.url


@dataclass(frozen=True)
class Fetched:
    """What came: a pack or another file, the commit in it, whether its history was left out, and the hosts' keys."""

    file: Path
    commit: str = ""
    shallow: bool = False
    hosts: str = ""


def git_address(text: str) -> Address:
    """Parse `URL[#REF]`, or git's short form of SSH. Raises Invalid."""
    url, _, ref = text.partition("#")
    if ref and not REF.fullmatch(ref):
        raise Invalid(f"{ref[:60]!r} is no branch, tag or commit.", "Such as: https://host/app.git#main")
    if match := SCP.fullmatch(url):
        url = f"ssh://{match['user']}@{match['host']}/{match['path'].removeprefix('/')}"
    return replace(_parsed(url, PROTOCOLS, "https://host/app.git#main"), ref=ref)


def file_address(text: str) -> Address:
    """Parse the URL of an archive. Raises Invalid."""
    return _parsed(text, ("https", "http"), "https://host/app.tar.gz")


class Fetcher:
    """Fetches in a container on the builds' network: nothing that only listens on this host can be reached."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    @asynccontextmanager
    async def git(
        self, app: str, address: Address, out: Output, *, key: Key | None, wanted: str = ""
    ) -> AsyncIterator[Fetched]:
        """A commit of a repository, `wanted` rather than the ref's if it is there. Raises Refused, BuildFailed."""
        out.step(f"Fetching {address.shown}")
        ref = address.ref or "HEAD"
        given = {"REF": ref if ref == "HEAD" or _is_id(ref) else f"refs/heads/{ref}", "WANTED": wanted}
        async with self._fetched(app, "git", address, given, out, key) as fetched:
            yield fetched

    @asynccontextmanager
    async def file(self, app: str, address: Address, out: Output) -> AsyncIterator[Fetched]:
        """What an HTTP URL names. Raises Refused, BuildFailed."""
        out.step(f"Fetching {shown(address.url)}")
        async with self._fetched(app, "file", address, {}, out, None) as fetched:
            yield fetched

    @asynccontextmanager
    async def _fetched(
        self, app: str, what: str, address: Address, given: Mapping[str, str], out: Output, key: Key | None
    ) -> AsyncIterator[Fetched]:
        place = rewritten(address.url, {p: to for p, to in self._settings.mirrors.items() if "://" in to})
        if place == address.url:
            await addresses.allow(address.host, self._settings.internal_hosts)
        desk = self._settings.data / "builds" / ".running" / f"fetch-{os.urandom(6).hex()}"
        told = out.hiding([address.password])
        try:
            _furnish(desk, key)
            spec = self._spec(app, what, desk, self._environment(replace(address, url=place), given, key))
            async with self._engine.container(spec) as container:
                code = await self._run(container, told)
            if code or _read(desk / "out" / "problem", HOSTS):
                raise self._explained(address, _read(desk / "out" / "problem", 100).strip(), code)
            yield Fetched(
                desk / "out" / "pack",
                _read(desk / "out" / "commit", 100).strip(),
                (desk / "out" / "shallow").exists(),
                _read(desk / "out" / "known_hosts", HOSTS),
            )
        finally:
            shutil.rmtree(desk, ignore_errors=True)

    async def _run(self, container: str, out: Output) -> int:
        stream = await self._engine.attach(container)
        try:
            async with time_limit(SECONDS):
                await self._engine.start(container)
                async for line in stream.lines():
                    out.detail(line)
                return await self._engine.wait(container)
        finally:
            stream.close()

    def _environment(self, address: Address, given: Mapping[str, str], key: Key | None) -> dict[str, str]:
        settings = {"safe.directory": "*", "core.askPass": "", "pack.threads": "1"}
        if address.password:
            settings["credential.helper"] = HELPER
        config = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        for number, (name, value) in enumerate(settings.items()):
            config |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        identity = "-i /in/key -o IdentitiesOnly=yes" if key else "-o IdentityFile=none"
        ssh = (
            f"ssh -F none {identity} -o BatchMode=yes -o ConnectTimeout=20 "
            "-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=/out/known_hosts"
        )
        certificates = dict.fromkeys(CA_VARIABLES, BUNDLE) if self._settings.ca_bundle else {}
        return {
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            **self._settings.build_env,
            **certificates,
            **config,
            **given,
            "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
            "GIT_SSH_COMMAND": ssh,
            "GIT_USER": address.user,
            "GIT_PASSWORD": address.password,
            "URL": address.url,
            "LIMIT": str(self._limit),
        }

    def _spec(self, app: str, what: str, desk: Path, environment: Mapping[str, str]) -> ContainerSpec:
        binds = [Bind(str(desk / "in"), "/in", read_only=True), Bind(str(desk / "out"), "/out")]
        if self._settings.ca_bundle:
            binds.append(Bind(self._settings.ca_bundle, BUNDLE, read_only=True))
        return ContainerSpec(
            image=f"mothership/stack-build:{self._settings.stack}",
            entrypoint=("bash", "/in/fetch.sh"),
            command=(what,),
            env=environment,
            labels={
                "mothership.instance": self._settings.instance,
                "mothership.role": "build",
                "mothership.app": app,
            },
            user=f"{OWNER}:{OWNER}",
            workdir="/tmp",
            network=f"container:{network_name(self._settings)}",
            binds=tuple(binds),
            memory=self._settings.build_memory,
            cpu=self._settings.build_cpu,
            pids=256,
            cap_drop=("ALL",),
            ulimits={"fsize": self._limit},
            stop_timeout=1,
        )

    @property
    def _limit(self) -> int:
        return self._settings.max_input_size << 20

    def _explained(self, address: Address, problem: str, code: int) -> Exception:
        if problem == "size":
            return TooLarge(f"{shown(address.url)} is larger than {self._settings.max_input_size} MiB.")
        hint = "Its output above says why."
        if address.url.startswith("ssh:"):
            hint += " Does the repository know the app's key? It is printed by: deploykey APP"
        elif not address.password:
            hint += " A private one needs https://USER:TOKEN@…, or ssh and the app's key (deploykey APP)."
        what = f"has no {address.ref or 'commit'}" if problem == "commit" else "could not be fetched"
        return BuildFailed(f"{shown(address.shown)} {what} (exit code {code}).", hint, reason="could not be fetched")


def shown(url: str) -> str:
    """A URL without its query, which may be a signature."""
    return url.partition("?")[0]


def _parsed(url: str, protocols: tuple[str, ...], example: str) -> Address:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    plain = url.isascii() and url.isprintable() and not set(url) & set(" \"'\\")
    if parts.scheme not in protocols or not host or host.startswith("-") or len(url) > 2000 or not plain:
        raise Invalid(
            f"{shown(re.sub(r'//[^@/]*@', '//', url))[:100]!r} is not a URL to fetch from.",
            f"Such as: {example} ({', '.join(protocols)})",
            reason="invalid URL",
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    if parts.scheme == "ssh":
        place = f"{user}@{place}" if user else place
        return Address(parts._replace(netloc=place, fragment="").geturl(), host)
    if user and not password:
        user, password = "token", user  # https://TOKEN@host/…
    return Address(parts._replace(netloc=place, fragment="").geturl(), host, "", user, password)


def _is_id(ref: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", ref))


def _furnish(desk: Path, key: Key | None) -> None:
    for name in ("in", "out"):
        (desk / name).mkdir(parents=True)
    shutil.copy(HERE / "fetch.sh", desk / "in" / "fetch.sh")
    if key:
        (desk / "in" / "key").touch(mode=0o600)
        (desk / "in" / "key").write_text(key.private)
        (desk / "out" / "known_hosts").write_text(key.hosts)
    for path in (desk, *desk.rglob("*")):
        os.chown(path, OWNER, OWNER)


def _read(path: Path, limit: int) -> str:
    """A small file that the container wrote; never one that a symlink leads to."""
    with (
        contextlib.suppress(OSError),
        os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as data,
    ):
        return data.read(limit).decode(errors="replace")
    return ""
