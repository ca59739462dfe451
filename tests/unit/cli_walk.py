"""The client's entry point, once per command line on standard input: each runs in a process of its own.

They are forked from one that has imported everything, since that is what takes long. Reads and prints JSON.
"""

import gc
import json
import os
import sys
import tempfile
from typing import IO

from mothership.cli import main

Outcome = tuple[int, str, str]


def run(words: list[str]) -> Outcome:
    """The exit status of `mothership WORDS`, and what it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _become(words, out, err)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), _read(out), _read(err)


def _become(words: list[str], out: IO[bytes], err: IO[bytes]) -> None:
    """What the console script does; an error that nobody caught is Python's own to print."""
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.argv = ["mothership", *words]
        main(prog_name="mothership")
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    os._exit(70)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


if __name__ == "__main__":
    gc.disable()  # a collection in every child would copy all of its memory
    json.dump([run(words) for words in json.load(sys.stdin)], sys.stdout)
