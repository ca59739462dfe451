"""Run a program of the app's, such as manage.py, and note which of the commit's files it reads (builder.reads).

    observe.py NOTES ROOT SCRIPT ARGUMENT...

Whatever Python opens is seen (PEP 578). What could read anything else, a child or a connection, makes it everything.
Native code may open files of its own: so only kinds of files that no such code reads may change unread.
"""

import os
import re
import sys
import traceback
import types
from pathlib import Path

KINDS = ".py .html .htm .txt .md .rst .jinja .jinja2 .j2"
BEYOND = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.sendto",
    "urllib.Request",
)
OF_THE_BUILD = re.compile(rb"\b(?:SOURCE_VERSION|REQUEST_ID)\b")
"""Variables that differ from build to build."""


class Notes:
    def __init__(self, root):
        self.root = str(Path(root).resolve()) + os.sep
        self.opened = set()
        self.beyond = not hasattr(sys, "addaudithook")
        if not self.beyond:
            sys.addaudithook(self.hear)

    def hear(self, event, args):
        if event == "open" and args and isinstance(args[0], (str, bytes)):
            self.opened.add(os.path.abspath(os.fsdecode(args[0])))
        elif event in BEYOND:
            self.beyond = True

    def files(self):
        """The commit's files among what was opened and imported."""
        modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        paths = self.opened | {os.path.abspath(path) for path in modules if isinstance(path, str)}
        # A link and what it leads to are two files of the commit.
        paths |= {os.path.realpath(path) for path in paths}
        inside = {path[len(self.root) :] for path in paths if path.startswith(self.root)}
        return sorted(path for path in inside if not path.startswith(".heroku/") and "\n" not in path)

    def write(self, path):
        files = self.files()
        everything = self.beyond or any(self.tells_builds_apart(name) for name in files)
        lines = ["everything"] if everything else ["~ " + KINDS, *("= " + escaped(name) for name in files)]
        with Path(path).open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write("".join(line + "\n" for line in lines))

    def tells_builds_apart(self, name):
        if not name.endswith(".py"):
            return False
        try:
            return bool(OF_THE_BUILD.search(Path(self.root + name).read_bytes()))
        except OSError:
            return True


def escaped(name):
    return re.sub(r"([*?[])", r"[\1]", name)


def main(path, root, script, *arguments):
    notes, process = Notes(root), os.getpid()
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).resolve().parent)
    program = types.ModuleType("__main__")
    program.__file__ = script
    sys.modules["__main__"] = program
    try:
        exec(compile(Path(script).read_bytes(), script, "exec"), program.__dict__)
    except Exception as error:
        ours = error.__traceback__
        traceback.print_exception(type(error), error, ours and ours.tb_next)
        sys.exit(1)
    finally:
        if os.getpid() == process:
            notes.write(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
