"""Commits of a few objects that name more than any disk holds."""

import subprocess
from pathlib import Path

import pytest

from builder import Source
from builder.dockerfile import unpack
from hooks import tree
from hooks.tree import gitlinks
from mothership.errors import BuildFailed, TooLarge

MEGA = 1 << 20


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "app.git")], check=True)
    return tmp_path / "app.git"


def git(repository: Path, *words: str, told: bytes = b"") -> str:
    person = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", f"--git-dir={repository}", *words], input=told, capture_output=True, check=True, env=person
    )
    return done.stdout.decode().strip()


def folder(repository: Path, entries: list[str]) -> str:
    return git(repository, "mktree", "-z", "--missing", told="".join(f"{entry}\0" for entry in entries).encode())


def commit(repository: Path, entries: list[str]) -> Source:
    made = git(repository, "commit-tree", "-m", "x", folder(repository, entries))
    return Source("app", made, repository)


def test_the_gitlinks_of_a_commit_are_found_beside_its_files(repository: Path) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", told=b"x")
    inner = folder(repository, [f"160000 commit {'1' * 40}\ttwo\nlines"])
    source = commit(repository, [f"100644 blob {blob}\ta", f"040000 tree {inner}\tlib", f"160000 commit {'2' * 40}\tz"])
    assert gitlinks(source, source.commit, MEGA) == {"lib/two\nlines": "1" * 40, "z": "2" * 40}


def test_folders_in_folders_that_name_ten_thousand_million_files_are_refused(repository: Path) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", told=b"x")
    entries = [f"100644 blob {blob}\tf{i}" for i in range(10)]
    for _ in range(9):
        entries = [f"040000 tree {folder(repository, entries)}\td{i}" for i in range(10)]
    source = commit(repository, entries)
    with pytest.raises(TooLarge, match="more than 500000"):
        gitlinks(source, source.commit, 1 << 60)


def test_one_file_under_many_names_counts_as_many(repository: Path) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", told=bytes(MEGA))
    source = commit(repository, [f"100644 blob {blob}\tf{i}" for i in range(10)])
    assert gitlinks(source, source.commit, 10 * MEGA) == {}
    with pytest.raises(TooLarge, match="unpack to more than 9 MiB"):
        gitlinks(source, source.commit, 9 * MEGA)


def test_a_commit_that_is_not_there_is_told(repository: Path) -> None:
    with pytest.raises(BuildFailed, match="can't be read"):
        gitlinks(Source("app", "1" * 40, repository), "1" * 40, MEGA)


def test_a_path_longer_than_any_system_takes_is_refused(repository: Path) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", told=b"x")
    entries = [f"100644 blob {blob}\tf"]
    for _ in range(40):
        entries = [f"040000 tree {folder(repository, entries)}\t{'d' * 4000}"]
    source = commit(repository, entries)
    with pytest.raises(BuildFailed, match="too long"):
        gitlinks(source, source.commit, MEGA)
    assert tree.LONGEST == 4096


async def test_what_export_subst_stands_for_takes_no_more_memory_than_a_build_may(
    repository: Path, tmp_path: Path
) -> None:
    # gitattributes(5), export-subst: 1,500 times a message of 1 MiB, all of which git archive holds at once.
    attributes = git(repository, "hash-object", "-w", "--stdin", told=b"f export-subst\n")
    blob = git(repository, "hash-object", "-w", "--stdin", told=b"$Format:%B$" * 1500)
    whole = folder(repository, [f"100644 blob {attributes}\t.gitattributes", f"100644 blob {blob}\tf"])
    made = git(repository, "commit-tree", "-F", "-", whole, told=b"m" * MEGA)
    (tmp_path / "tree").mkdir()
    with pytest.raises(BuildFailed, match="could not be unpacked"):
        await unpack(Source("app", made, repository), tmp_path / "tree")
