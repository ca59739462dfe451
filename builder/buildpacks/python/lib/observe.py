"""Run a program of the app's, such as manage.py, and note which of the commit's files it reads (builder.reads).

    observe.py NOTES ROOT SCRIPT ARGUMENT...

Whatever Python opens is seen (PEP 578), and so are the folders that it lists, the paths that it asks for, the modules
that it looks for. What could read anything else, a child or a connection, makes it everything. Native code may open
files of its own: so only kinds of files that no such code reads may change unread.
"""

import contextlib
import functools
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


LISTINGS = ("os.listdir", "os.scandir")
IMPORTS = "<frozen importlib._bootstrap_external>"
DISTRIBUTIONS = ("/importlib/metadata/__init__.py", "/importlib_metadata/__init__.py", "/pkg_resources/__init__.py")
"""What lists folders of modules for nothing but the descriptions of packages."""


class Notes:
    def __init__(self, root):
        self.root = str(Path(root).resolve()) + os.sep
        self.installed = self.root + ".heroku" + os.sep
        self.opened = set()
        self.asked = set()
        self.listed = set()
        self.modules = set()
        self.made = set()
        self.beyond = not hasattr(sys, "addaudithook")
        self.wrap("stat", "lstat", "access", "readlink")
        sys.meta_path.insert(0, self)
        sys.path_hooks.insert(0, self.hook)
        if not self.beyond:
            sys.addaudithook(self.hear)

    def hear(self, event, args):
        if event == "open":
            if args and isinstance(args[0], (str, bytes)):
                self.note(self.opened, args[0])
        elif event in LISTINGS:
            self.lists(args[0], sys._getframe(1).f_code.co_filename)
        elif event == "os.mkdir":
            self.note(self.made, args[0])
        elif event in BEYOND:
            self.beyond = True

    def lists(self, path, by):
        """Imports list folders too, but for the sake of one name, which `find_spec` has heard."""
        if isinstance(path, int):
            self.beyond = True
        elif by != IMPORTS:
            found = set()
            self.note(found, "." if path is None else path)
            kinds = ("*.dist-info", "*.egg-info", "*.egg") if by.endswith(DISTRIBUTIONS) else ("",)
            self.listed |= {(place, kind) for place in found for kind in kinds}

    def find_spec(self, name, path=None, target=None):
        """Sees what is imported, as the first of the finders; it finds nothing itself."""
        last = name.rpartition(".")[2]
        for folder in sys.path if path is None else path:
            if isinstance(folder, str) and not folder.startswith(self.installed):
                self.note(self.modules, f"{folder or '.'}{os.sep}{last}")

    def hook(self, path):
        """Sees which folders modules are looked for in, also where there is none."""
        self.note(self.asked, path)
        raise ImportError(path)

    def wrap(self, *names):
        """The system's calls by which Python asks for a path make no event."""
        for name in names:
            setattr(os, name, self.heard(getattr(os, name)))

    def heard(self, call):
        @functools.wraps(call)
        def asks(path, *args, **kwargs):
            if not isinstance(path, int) and kwargs.get("dir_fd") is None:
                with contextlib.suppress(TypeError):
                    self.note(self.asked, path)
            return call(path, *args, **kwargs)

        for name in ("supports_dir_fd", "supports_follow_symlinks", "supports_fd", "supports_effective_ids"):
            if call in getattr(os, name):
                getattr(os, name).add(asks)
        return asks

    def note(self, paths, path):
        """Add a path, made absolute, if it may be the commit's. What is installed goes by the requirements."""
        path = os.fsdecode(path)
        if not path.startswith(self.installed):
            path = os.path.abspath(path)
            if (path + os.sep).startswith(self.root):
                paths.add(path)

    def files(self):
        """The commit's files among what was opened and imported."""
        opened = set(self.opened)
        for module in list(sys.modules.values()):
            if isinstance(getattr(module, "__file__", None), str):
                self.note(opened, module.__file__)
        return sorted(self.inside(opened))

    def names(self):
        """What was looked for, as lines: files that come or go there would be seen."""
        asked = {escaped(name) for name in self.inside(self.asked)}
        found = {f"+ {name}" for name in asked} | {f"+ {name}/" for name in asked}
        for folder, kind in self.listed:
            if folder + os.sep == self.root:
                found.add(f"+ {kind}*")
            found |= {f"+ {escaped(name)}/{kind}*" for name in self.inside({folder})}
        return sorted(found | {f"^ {name}" for name in self.inside(self.modules)})

    def inside(self, paths):
        """Those that the commit may have, by their names in it. A link and what it leads to are two of its files."""
        paths = {path for path in paths if not any(folder in self.made for folder in folders(path, self.root))}
        paths |= set(map(os.path.realpath, paths))
        found = {path[len(self.root) :] for path in paths if path.startswith(self.root)}
        return {path for path in found if path and not path.startswith(".heroku/") and "\n" not in path}

    def write(self, path):
        files = self.files()
        everything = self.beyond or any(self.tells_builds_apart(name) for name in files)
        lines = (
            ["everything"] if everything else ["~ " + KINDS, *("= " + escaped(name) for name in files), *self.names()]
        )
        with Path(path).open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write("".join(line + "\n" for line in lines))

    def tells_builds_apart(self, name):
        if not name.endswith(".py"):
            return False
        try:
            return bool(OF_THE_BUILD.search(Path(self.root + name).read_bytes()))
        except OSError:
            return True


def folders(path, root):
    """The folders that a path is in, below the root."""
    while len(path := path.rpartition(os.sep)[0]) > len(root):
        yield path


def escaped(name):
    return re.sub(r"([*?[])", r"[\1]", name)


def main(path, root, script, *arguments):
    notes, process = Notes(root), os.getpid()
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).resolve().parent)
    for name in list(sys.modules):
        notes.find_spec(name.partition(".")[0])
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
