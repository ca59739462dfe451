"""The apps: what each is, how to see that it serves, and the table of docs/apps.md.

`python -m tests.apps.catalogue > docs/apps.md` renews that page.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.apps import little

HERE = Path(__file__).parent
HEAD = """\
# Apps that are pushed in the tests

Small apps of our own that do what real ones do. `tests/apps/test_apps.py` pushes every one of them to one server with
the real git client, two at a time, and asks for a page at its hostname. Renew this page:
`python -m tests.apps.catalogue > docs/apps.md`.

| app | language | package manager | what is special |
|---|---|---|---|
"""
ASSET = 20 * 1024 * 1024
"""Bytes."""


@dataclass(frozen=True)
class App:
    """One app: a folder beside this file or files of `little`, and what it answers at `path` (or writes to its log).

    `said` is a part of what the push prints, `scale` what is started after it. `prepare` is given the folder before the
    commit.
    """

    name: str
    language: str
    manager: str
    quirk: str
    expected: str = ""
    path: str = "/"
    said: str = ""
    logged: str = ""
    scale: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    buildpacks: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None

    @property
    def hosted(self) -> str:
        """The app's name on the server."""
        return f"app-{self.name}"


def heavy(folder: Path) -> None:
    (folder / "video.bin").write_bytes(os.urandom(ASSET))


def linked(folder: Path) -> None:
    (folder / "current").symlink_to("releases/v2")
    (folder / "notes.txt").symlink_to("current/text.txt")
    (folder / "dangling").symlink_to("/nowhere/at/all")


def executable(folder: Path) -> None:
    for script in (*folder.glob("**/bin/*"), *folder.glob("tools/*")):
        script.chmod(0o755)


APPS = (
    App(
        "flask-pip",
        "Python",
        "pip",
        "Flask by gunicorn, a config var, the hostname",
        "Moin, Ada at app-flask-pip.localhost",
        path="/hello/Ada",
        config={"GREETING": "Moin"},
    ),
    App(
        "django-release",
        "Python",
        "pip",
        "Django: collectstatic, WhiteNoise, migrations on SQLite in the release phase",
        "/static/style.",
        said="Applying diary.0001_initial... OK",
        config={"SECRET_KEY": "a secret"},
    ),
    App(
        "fastapi-uv",
        "Python",
        "uv",
        "FastAPI without a Procfile; development packages left out",
        '{"place":"Kiel","days":3,"development":false}',
        path="/places/Kiel?days=3",
    ),
    App(
        "poetry", "Python", "Poetry", "a lock file, package-mode off, old [tool.poetry] tables", "Quoted by Bottle 0.13"
    ),
    App("pipenv", "Python", "Pipenv", "a WSGI app in a package, $PORT as an option", '{"things": 3}', path="/things"),
    App(
        "hatch-src",
        "Python",
        "pip, hatchling",
        "pyproject.toml, src layout, a dynamic version, package data; the web process is a console script",
        "ticker 1.4.2 as package data\n signed",
    ),
    App("uv-workspace", "Python", "uv", "a workspace whose member is the app", "a member of the workspace"),
    App("setup-py", "Python", "pip", "setup.py alone, with an entry point", "an old harbour", files=little.SETUP_PY),
    App(
        "nested-requirements",
        "Python",
        "pip",
        "requirements that include others; the app in a folder",
        "/app/backend has Bottle 0.13.4",
        files=little.NESTED,
    ),
    App(
        "c-extension",
        "Python",
        "pip",
        "an extension in C compiled from its source; .python-version",
        "from C: True",
        files=little.COMPILED,
    ),
    App(
        "worker-only",
        "Python",
        "none",
        "no web process at all; a log of unbuffered lines",
        logged="working on job 3",
        scale="worker=1",
        files=little.WORKER,
    ),
    App(
        "several-processes",
        "Python",
        "pip",
        "web, worker and clock in one Procfile; comments and blank lines in it",
        "web of several",
        scale="worker=2 clock=1",
        logged="tick",
        files=little.SEVERAL,
    ),
    App("websocket", "Python", "pip", "a WebSocket beside plain HTTP", "a WebSocket is at this address"),
    App("slow-boot", "Python", "none", "listens on $PORT only after three seconds", "up at last", files=little.SLOW),
    App("ipv4-only", "Python", "none", "binds 0.0.0.0 and nothing else", "IPv4", files=little.IPV4),
    App("ipv6-any", "Node", "npm", "binds :: (Node's default)", "family IPv6", files=little.IPV6),
    App(
        "profile-scripts",
        "Python",
        "none",
        ".profile.d and then .profile set the environment and the command's PATH",
        "first second /app/tools",
        files=little.PROFILE,
        prepare=executable,
    ),
    App(
        "slugignore",
        "Python",
        "none",
        ".slugignore leaves files and folders out of the image",
        "kept.txt",
        files=little.SLUGIGNORE,
    ),
    App(
        "crlf-procfile",
        "Python",
        "pip",
        "a Procfile and requirements from Windows, with a byte order mark",
        "from Windows",
        files=little.CRLF,
    ),
    App(
        "shell-procfile",
        "Python",
        "none",
        "quotes, a pipe, && and defaults of variables in the Procfile",
        "it's 5 o'clock | $HOME=/app",
        config={"CLOCK": "5 o'clock"},
        files=little.SHELL,
        logged="PIPED",
    ),
    App(
        "bin-scripts",
        "Python",
        "pip",
        "bin/pre_compile, bin/post_compile and bin/web, executable",
        "before after executable",
        files=little.SCRIPTS,
        prepare=executable,
    ),
    App(
        "streamlit",
        "Python",
        "pip",
        "Streamlit without a Procfile",
        "<title>Streamlit</title>",
        files={
            "requirements.txt": "streamlit==1.45.1\n",
            "streamlit_app.py": "import streamlit as st\n\nst.title('Hi')\n",
        },
    ),
    App(
        "express-npm",
        "Node",
        "npm",
        "Express behind a proxy; started by bin/www",
        "http://app-express-npm.localhost in production",
        path="/who",
    ),
    App("koa-yarn1", "Node", "Yarn 1", "Koa, resolutions, web: yarn start", "Koa with debug 4.3.7"),
    App(
        "pnpm-monorepo",
        "Node",
        "pnpm",
        "a workspace whose packages are built and use each other",
        "42 coins, good for 2 days",
    ),
    App("yarn-berry", "Node", "Yarn 4", "nodeLinker: node-modules, by packageManager", "berries keep 3 days"),
    App(
        "npm-workspaces",
        "Node",
        "npm",
        "workspaces that are built, started by npm start -w",
        "the hall chimes every 1 hour",
    ),
    App(
        "node-committed",
        "Node",
        "npm",
        "node_modules is in the repository, and there is no lock",
        "AHOY",
        files=little.COMMITTED,
    ),
    App("typescript", "Node", "npm", "built by tsc, ES modules, development packages pruned", "3600000 compiler=false"),
    App(
        "node-bare",
        "Node",
        "none",
        "server.js and a package.json without scripts, packages or a lock",
        "bare",
        files=little.BARE,
    ),
    App("node-main", "Node", "none", "no scripts: package.json names its main file", "main", files=little.MAIN),
    App(
        "node-prepare",
        "Node",
        "npm",
        "postinstall needs a development package, which the image goes without",
        "bundled, development packages: false",
        files=little.PREPARE,
    ),
    App(
        "render-blueprint",
        "Python",
        "pip",
        "render.yaml names the commands, a setting and a version, and there is no Procfile",
        "hello from a blueprint",
        said="render.yaml declares types -> web, worker",
        files=little.BLUEPRINT,
    ),
    App(
        "page-and-tools",
        "static",
        "npm",
        "an index.html, and a package.json for tools alone",
        "only a page",
        files=little.PAGE_AND_TOOLS,
    ),
    App(
        "staticfile",
        "static",
        "none",
        "Cloud Foundry's Staticfile: root, pushstate",
        "in a folder",
        path="/any",
        files=little.STATICFILE,
    ),
    App("gradio", "Python", "pip", "Gradio without a Procfile", "gradio", files=little.GRADIO),
    App(
        "own-server",
        "Python",
        "pip",
        "main.py starts a server of its own on $PORT, without a Procfile",
        "by itself",
        files=little.OWN_SERVER,
    ),
    App(
        "node-hooks",
        "Node",
        "npm",
        "heroku-prebuild, heroku-postbuild and heroku-cleanup, with a config var",
        "prebuild postbuild:blue cleanup",
        config={"COLOUR": "blue"},
        files=little.HOOKS,
    ),
    App(
        "vite-spa",
        "Node",
        "npm",
        "Vite: the built site alone is served, with an app's own routes",
        '<div id="root">',
        path="/deep/route",
    ),
    App(
        "sveltekit",
        "Node",
        "npm",
        "SvelteKit with adapter-node, as its starter makes it: no start script",
        "rendered for http://app-sveltekit.localhost",
    ),
    App(
        "nestjs",
        "Node",
        "npm",
        "NestJS, as its starter makes it: start is for development, start:prod for here",
        "three lamps are lit",
        path="/lamps",
    ),
    App("eleventy", "Node", "npm", "Eleventy: start is for development, _site is served", "A PAGE OF ELEVENTY!"),
    App(
        "native-node",
        "Node",
        "npm",
        "native modules: sharp and bcrypt",
        "webp of 40x20, password true",
    ),
    App(
        "bun-vite",
        "Bun",
        "Bun",
        "a Vite site with bun.lock",
        "<title>of Bun and Vite</title>",
        path="/any/route",
    ),
    App(
        "static-plain",
        "static",
        "none",
        "index.html and a folder; unicode names",
        "Grüße aus Köln",
        path="/%C3%BCber/gr%C3%BC%C3%9Fe.html",
        files=little.PLAIN,
    ),
    App(
        "static-json",
        "static",
        "none",
        "static.json: root, clean URLs, redirects, headers",
        "the new page",
        path="/old",
        files=little.STATIC_JSON,
    ),
    App(
        "static-public",
        "static",
        "none",
        "public/ with a 404 page and a vendor folder",
        "vendored();",
        path="/vendor/lib.js",
        files=little.PUBLIC,
    ),
    App(
        "heavy-asset",
        "static",
        "none",
        "an asset of 20 MB that does not compress",
        files={"index.html": "heavy"},
        prepare=heavy,
        expected="heavy",
    ),
    App(
        "symlinks",
        "static",
        "none",
        "symbolic links to files and folders, and one to nowhere",
        "of version 2",
        path="/notes.txt",
        files=little.LINKS,
        prepare=linked,
    ),
    App(
        "two-buildpacks",
        "Node, Python",
        "npm, pip",
        ".buildpacks: esbuild bundles, Flask serves",
        "bundled by Node, served by Python",
        path="/static/main.js",
    ),
    App(
        "php-node",
        "Node, PHP",
        "npm, Composer",
        ".buildpacks: a build script makes a manifest that PHP reads",
        "script at /build/app-",
    ),
    App(
        "app-json",
        "Node, static",
        "npm",
        "buildpacks and a health check in app.json",
        "made by Node",
        path="/made.html",
        files=little.APP_JSON,
    ),
    App(
        "buildpacks-set",
        "static",
        "none",
        "buildpacks:set where detection would have said Python",
        "not Python",
        buildpacks=("heroku/static",),
        files={"index.html": "not Python", "requirements.txt": "nonsense that is not there\n"},
    ),
    App(
        "own-buildpack",
        "Shell",
        "none",
        "a buildpack in a folder of the repository, which reads a config var and sets defaults",
        "by the app's own buildpack: kept=1 colour=green",
        config={"COLOUR": "green"},
        files=little.OWN,
        prepare=executable,
    ),
    App(
        "docker-expose",
        "Dockerfile",
        "none",
        "the port that it EXPOSEs; ARG takes a config var",
        "exposed, built for tests",
        config={"AUDIENCE": "tests"},
        files=little.EXPOSE,
    ),
    App(
        "docker-stages",
        "Dockerfile",
        "none",
        "several stages, CMD as a shell line, $PORT",
        "compiled in another stage",
        files=little.STAGES,
    ),
    App(
        "docker-procfile",
        "Dockerfile",
        "none",
        "$PORT, and a Procfile with web and worker",
        "web in a container",
        files=little.DOCKER_PROCFILE,
    ),
    App(
        "go-modules",
        "Go",
        "Go modules",
        "chi, and files embedded in the program",
        "embedded in the program",
        path="/note.txt",
    ),
    App(
        "go-vendored",
        "Go",
        "vendor/",
        "cmd/ with two programs, internal/, a release phase",
        "cmd/server is vendored",
        said="swept",
    ),
    App(
        "rust-binaries",
        "Rust",
        "Cargo",
        "the standard library alone, two programs, a release phase",
        "harbour got /quay",
        path="/quay",
        said="the tide is low",
    ),
    App("rust-workspace", "Rust", "Cargo", "a workspace of two members and a crate, no Procfile", "counted by itoa: 7"),
    App("java-maven", "Java", "Maven", "an executable jar without a Procfile, resources in it", "fixed white"),
    App("quarkus", "Java", "Maven", "Quarkus without a Procfile", "north lock is open", path="/locks/north"),
    App(
        "java-21",
        "Java",
        "none",
        "system.properties asks for 21; one source file, nothing to build",
        "Dogger is rough on 21",
    ),
    App(
        "ruby-path-gem",
        "Ruby",
        "Bundler",
        "a gem in a folder of the repository",
        "Hello Ada, from a gem in the repository",
        path="/Ada",
    ),
    App(
        "php-plain",
        "PHP",
        "none",
        "pages in the root, includes that are not served",
        "<h1>fish &amp; chips</h1>",
        path="/?dish=1",
    ),
    App(
        "php-composer",
        "PHP",
        "Composer",
        "public/, a path repository, ext-intl, a front controller",
        "/stock/list: 1.234.567 books",
        path="/stock/list",
    ),
    App("deno", "Deno", "Deno", "an npm: import, few permissions", "Deno waits 90000 ms"),
    App("bun", "Bun", "Bun", "TypeScript as it is, by the start script", "Bun: /x after 120000 ms", path="/x"),
)


def table() -> str:
    """The page docs/apps.md."""
    return HEAD + "".join(f"| {app.name} | {app.language} | {app.manager} | {app.quirk} |\n" for app in APPS)


if __name__ == "__main__":
    print(table(), end="")
