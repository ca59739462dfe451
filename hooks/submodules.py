"""Submodules: fetched for the build, and put into a commit of its own, since a bare commit only names them."""

import os
import posixpath
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from builder import Source
from builder.fetch import Fetcher, git_address
from builder.source import Key
from builder.thread import in_thread
from builder.tree import git_environment
from hooks import commits
from hooks.tree import gitlinks
from mothership.errors import BuildFailed, Invalid
from mothership.output import Output
from mothership.repos import Repos
from mothership.store.doors import DeployKeys

REF = "refs/mothership/submodules"
"""Where the fetched commits are kept, so that the next build needn't fetch them again."""

DEEPEST = 4
MOST = 50


@dataclass(frozen=True)
class Submodule:
    """A submodule: where it goes, the commit it is at, and the repository that has it.

    One that .gitmodules doesn't declare is a repository that somebody added by mistake, as a rule.
    """

    path: str
    commit: str
    url: str
    declared: bool


class Submodules:
    """Brings in the submodules of what is built, with the app's deploy key where they are private."""

    def __init__(self, repos: Repos, fetcher: Fetcher, keys: DeployKeys, limit: int) -> None:
        self._repos = repos
        self._fetcher = fetcher
        self._keys = keys
        self._limit = limit

    def key(self, app: str) -> Key | None:
        """The key that opens private repositories to an app."""
        known = self._keys.find(app)
        return Key(known.private, known.hosts) if known else None

    def met(self, app: str, hosts: str) -> None:
        """Remember the hosts that an app's key was used with (known_hosts)."""
        known = self._keys.find(app)
        if known and hosts and hosts != known.hosts:
            self._keys.met(app, hosts)

    @asynccontextmanager
    async def beside(self, source: Source, out: Output, *, origin: str = "") -> AsyncIterator[Source]:
        """The source with its submodules; one without any is given as it is. Raises BuildFailed, Refused, TooLarge.

        `origin` is the repository that it came from, for URLs that are relative to it.
        """
        found = await in_thread(self._listed, source, source.commit, origin)
        if not found:
            yield source
            return
        with commits.quarantine(source.repository) as place:
            if source.quarantine:
                (place / "info").mkdir()
                (place / "info" / "alternates").write_text(f"{source.quarantine}\n")
            beside = replace(source, quarantine=str(place), version=source.commit)
            fetched: list[Submodule] = []
            whole = await self._joined(beside, source.commit, found, place, out, fetched, DEEPEST)
            await in_thread(gitlinks, beside, whole, self._unpacked)
            yield replace(beside, commit=whole)
            if fetched:
                (place / "info" / "alternates").unlink(missing_ok=True)
                commits.keep(place)
                for each in fetched:
                    self._repos.graft(source.repository.name.removesuffix(".git"), each.commit)
                    self._repos.set_ref(
                        source.repository.name.removesuffix(".git"), f"{REF}/{each.commit}", each.commit
                    )

    async def _joined(
        self,
        source: Source,
        commit: str,
        found: list[Submodule],
        place: Path,
        out: Output,
        fetched: list[Submodule],
        depth: int,
    ) -> str:
        """The commit with these submodules in its tree, and theirs in them."""
        if not depth or len(fetched) + len(found) > MOST:
            raise BuildFailed(f"More submodules than {MOST}, or deeper than {DEEPEST}.", reason="too many submodules")
        trees = {}
        for each in found:
            if not each.declared:
                out.error(f"{each.path} is a repository of its own and no submodule: it stays empty.")
                continue
            if not each.url:
                raise BuildFailed(
                    f"The submodule {each.path} has no address in .gitmodules that can be fetched from.",
                    "Give it an absolute URL there: https://host/repository.git",
                    reason="submodule without an address",
                )
            await self._brought(source, each, place, out, fetched)
            inner = await in_thread(self._listed, source, each.commit, each.url)
            trees[each.path] = each.commit
            if inner:
                trees[each.path] = await self._joined(source, each.commit, inner, place, out, fetched, depth - 1)
        return await in_thread(_written, source, commit, trees, place)

    def _listed(self, source: Source, commit: str, origin: str) -> list[Submodule]:
        """The submodules of a commit. Raises TooLarge for one that unpacks to more than may be built."""
        links = gitlinks(source, commit, self._unpacked)
        return _declared(source, commit, links, origin) if links else []

    @property
    def _unpacked(self) -> int:
        return self._limit * commits.UNPACKED

    async def _brought(
        self, source: Source, each: Submodule, place: Path, out: Output, fetched: list[Submodule]
    ) -> None:
        if await in_thread(_has, source, each.commit):
            return
        out.step(f"Submodule {each.path}")
        try:
            address = replace(git_address(each.url), ref=each.commit)
        except Invalid as error:
            raise BuildFailed(
                f"The submodule {each.path}: {error.message}", error.hint, reason="bad submodule"
            ) from error
        async with self._fetcher.git(source.app, address, out, key=self.key(source.app)) as got:
            self.met(source.app, got.hosts)
            await commits.from_pack(
                got.file, got.commit, source.repository, place, shallow=got.shallow, limit=self._limit
            )
        fetched.append(each)


def _declared(source: Source, commit: str, links: Mapping[str, str], origin: str) -> list[Submodule]:
    """Gitlinks, and where .gitmodules says that they come from (gitmodules(5))."""
    config = _git(source, "config", "--null", "--blob", f"{commit}:.gitmodules", "--get-regexp", r"\.(path|url)$")
    paths: dict[str, str] = {}
    urls: dict[str, str] = {}
    for line in filter(None, config.split("\0")):
        name, _, value = line.partition("\n")
        (paths if name.endswith(".path") else urls)[name.rpartition(".")[0]] = value
    places = {path: urls.get(name, "") for name, path in paths.items()}
    return [
        Submodule(path, link, _absolute(places.get(path, ""), origin), path in places) for path, link in links.items()
    ]


def _absolute(url: str, origin: str) -> str:
    """A submodule's URL; one that begins with a dot is relative to where the repository itself came from."""
    if not url.startswith("."):
        return url
    if not origin:
        return ""
    parts = urlsplit(origin)
    return parts._replace(path=posixpath.normpath(posixpath.join(parts.path, url))).geturl()


def _written(source: Source, commit: str, trees: dict[str, str], place: Path) -> str:
    """A commit whose tree has these trees in the place of the gitlinks."""
    index = {"GIT_INDEX_FILE": str(place / f"index-{commit}")}
    _git(source, "read-tree", commit, more=index)
    for path, tree in trees.items():
        _git(source, "update-index", "-z", "--index-info", more=index, told=f"0 {'0' * len(commit)}\t{path}\0")
        _git(source, "read-tree", "-i", f"--prefix={path}/", tree, more=index)
    tree = _git(source, "write-tree", more=index).strip()
    (place / f"index-{commit}").unlink()
    head = _git(source, "cat-file", "commit", commit).partition("\n\n")[0].splitlines()
    time = next(line.split()[-2] for line in head if line.startswith("committer "))
    person = {f"GIT_{who}_{what}": "mothership" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": f"@{time}", "GIT_COMMITTER_DATE": f"@{time}"}
    return _git(source, "commit-tree", tree, "-m", f"{commit} with its submodules", more=person | dates).strip()


def _has(source: Source, commit: str) -> bool:
    try:
        _git(source, "cat-file", "-e", f"{commit}^{{tree}}")
    except BuildFailed:
        return False
    return True


def _git(source: Source, *words: str, more: dict[str, str] | None = None, told: str = "") -> str:
    argv = ["git", "-c", "safe.directory=*", f"--git-dir={source.repository}", *words]
    done = subprocess.run(
        argv, input=os.fsencode(told), capture_output=True, env=git_environment(source) | (more or {}), check=False
    )
    if done.returncode and words[0] != "config":
        raise BuildFailed(f"The submodules can't be read: {done.stderr.decode(errors='replace').strip()[:300]}")
    return os.fsdecode(done.stdout)
