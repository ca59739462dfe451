"""Compile modules to byte code that is valid whatever the files' times are (PEP 552, unchecked hashes)."""

import contextlib
import importlib.util
import os
import py_compile
import sys
from pathlib import Path

UNCHECKED = (1).to_bytes(4, "little")
HEADER = 16
BATCH = 200


def main(roots: list[str]) -> None:
    """Compile each module below the roots that has no byte code of its present source."""
    stale = sorted(source for root in roots for source in modules(root) if not compiled(source))
    # The batches don't depend on the number of cores: byte code varies a little with what was compiled before it.
    batches = [stale[start : start + BATCH] for start in range(0, len(stale), BATCH)]
    free = len(os.sched_getaffinity(0))
    for batch in batches:
        if not free:
            os.wait()
            free += 1
        free -= 1
        if os.fork() == 0:
            compile_all(batch)
            os._exit(0)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()


def modules(root: str) -> list[Path]:
    found = []
    for directory, _, files in os.walk(root):
        found += [Path(directory, name) for name in files if name.endswith(".py")]
    return found


def compiled(source: Path) -> bool:
    try:
        with Path(importlib.util.cache_from_source(str(source))).open("rb") as file:
            header = file.read(HEADER)
        digest = importlib.util.source_hash(source.read_bytes())
    except OSError:
        return False
    return header == importlib.util.MAGIC_NUMBER + UNCHECKED + digest


def compile_all(sources: list[Path]) -> None:
    """Packages may ship templates and other Pythons' code: what doesn't compile is left as it is."""
    for source in sources:
        py_compile.compile(
            str(source), quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, doraise=False
        )


if __name__ == "__main__":
    main(sys.argv[1:])
