"""A push whose changes no step of the last build read: nothing runs again, and the image is what a full build makes."""

import json
from pathlib import Path

import pytest

from tests.engine.server import Server

SKIPPED = "Build steps skipped: none of them reads what has changed"
DJANGO = {
    "requirements.txt": "django==5.2\ngunicorn\n",
    "Procfile": "web: gunicorn site_.wsgi\n",
    "manage.py": (
        "import os, sys\nfrom django.core.management import execute_from_command_line\n"
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings')\nexecute_from_command_line(sys.argv)\n"
    ),
    "site_/__init__.py": "",
    "site_/settings.py": (
        "import os\nfrom pathlib import Path\nSECRET_KEY='x'\nALLOWED_HOSTS=['*']\nROOT_URLCONF='site_.urls'\n"
        "STATIC_ROOT='collected'\nSTATIC_URL='/static/'\nSTATICFILES_DIRS=['assets']\n"
        "INSTALLED_APPS=['django.contrib.staticfiles']\nGREETING=os.environ.get('GREETING', 'hello')\n"
        "try:\n    from site_.local import *\nexcept ImportError:\n    pass\n"
        "TEMPLATES=[{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'DIRS': ['pages']}]\n"
    ),
    "site_/wsgi.py": (
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings')\n"
        "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
    ),
    "site_/urls.py": (
        "from django.http import HttpResponse\nfrom django.shortcuts import render\nfrom django.urls import path\n"
        "from pathlib import Path\nfrom site_.words import WORD\nurlpatterns = [\n"
        "path('', lambda request: HttpResponse(WORD)),\npath('page', lambda request: render(request, 'page.html')),\n"
        "path('css', lambda request: HttpResponse(Path('collected/site.css').read_text()))]\n"
    ),
    "site_/words.py": "WORD = 'one'\n",
    "pages/page.html": "page one",
    "assets/site.css": "css one",
    "docs/notes.md": "notes",
}
FLASK = {
    "requirements.txt": "flask\ngunicorn\n-r more.txt\n",
    "more.txt": "",
    "Procfile": "web: gunicorn app:app\n",
    "app.py": "import flask\napp = flask.Flask('app')\n@app.get('/')\ndef home(): return 'one'\n",
}
NODE = {
    "package.json": '{"name": "n", "version": "1.0.0", "scripts": {"start": "node lib/server.js"}}',
    "lib/server.js": ("require('http').createServer((q, a) => a.end(require('./words'))).listen(process.env.PORT);\n"),
    "lib/words.js": "module.exports = 'one';\n",
}
SITE = {"index.html": "<html>one", "about.html": "about"}


def image(server: Server, app: str) -> str:
    return next(line for line in server.ssh(f"apps:info {app}").stdout.splitlines() if line.startswith("image:"))


def marks(server: Server, app: str) -> dict[str, str]:
    """What the workspace knows of its runtimes and dependencies; another mark has their layer cut again."""
    known = json.loads((server.data / "workspaces" / app / "layers.json").read_text())
    return {part: known[part]["mark"] for part in ("runtime", "dependencies") if part in known}


def pushed(server: Server, folder: Path, app: str, files: dict[str, str]) -> bool:
    """Push a change; whether its steps ran."""
    server.commit(folder, files)
    done = server.push(folder, app, timeout=400)
    assert done.code == 0, done.text
    return SKIPPED not in done.text


def test_a_django_apps_code_is_changed_without_collecting_its_static_files_again(server: Server, folder: Path) -> None:
    assert pushed(server, folder, "u-django", DJANGO)
    assert not pushed(server, folder, "u-django", {"site_/words.py": "WORD = 'two'\n", "pages/page.html": "page two"})
    assert server.get("u-django").body == "two" and server.get("u-django", "/page").body == "page two"
    assert server.get("u-django", "/css").body == "css one"
    more = {
        "site_/more.py": "WORD = 'more'\n",
        "pages/deep/more.html": "more",
        "site_/words.py": "from site_.more import WORD\n",
    }
    assert not pushed(server, folder, "u-django", more)
    assert server.get("u-django").body == "more"
    quick = image(server, "u-django")
    done = server.ssh("redeploy u-django --no-cache")
    assert done.returncode == 0 and "static file" in done.stdout, done.stdout + done.stderr
    assert image(server, "u-django") == quick
    for files in (
        {"assets/site.css": "css two"},
        {"assets/more.css": "more"},
        {"site_/local.py": "DEBUG = False\n"},
        {"docs/picture.svg": "<svg/>"},
        {"site_/settings.py": DJANGO["site_/settings.py"] + "DEBUG = False\n"},
        {"requirements.txt": DJANGO["requirements.txt"] + "attrs\n"},
        {"bin/post_compile": "echo hooked\n"},
        {"site_/words.py": "WORD = 'three'\n"},
    ):
        assert pushed(server, folder, "u-django", files), files
    assert server.get("u-django", "/css").body == "css two" and server.get("u-django").body == "three"


def test_settings_that_ask_another_program_or_what_is_built_are_asked_each_time(server: Server, folder: Path) -> None:
    asking = "import subprocess\nVERSION = subprocess.run(['date'], capture_output=True).stdout\n"
    assert pushed(server, folder, "u-asking", {**DJANGO, "site_/settings.py": DJANGO["site_/settings.py"] + asking})
    assert pushed(server, folder, "u-asking", {"site_/words.py": "WORD = 'two'\n"})
    told = "VERSION = os.environ.get('SOURCE_VERSION')\n"
    assert pushed(server, folder, "u-asking", {"site_/settings.py": DJANGO["site_/settings.py"] + told})
    assert pushed(server, folder, "u-asking", {"site_/words.py": "WORD = 'three'\n"})
    assert server.get("u-asking").body == "three"


@pytest.mark.parametrize(
    ("app", "files", "unread", "read"),
    [
        (
            "u-flask",
            FLASK,
            {"app.py": FLASK["app.py"].replace("one", "two"), "web/views.py": "", "static/site.css": "a {}"},
            [{"more.txt": "attrs\n"}, {"bin/pre_compile": "echo first\n"}],
        ),
        (
            "u-node",
            NODE,
            {"lib/words.js": "module.exports = require('./two');\n", "lib/two.js": "module.exports = 'two';\n"},
            [{"server.js": ""}, {"package.json": NODE["package.json"].replace("1.0.0", "1.0.1")}],
        ),
        (
            "u-site",
            SITE,
            {"index.html": "<html>two", "sub/page.html": ""},
            [{"404.html": "gone"}, {"static.json": "{}"}],
        ),
    ],
)
def test_other_languages_run_again_for_what_decides_alone(
    server: Server, folder: Path, app: str, files: dict[str, str], unread: dict[str, str], read: list[dict[str, str]]
) -> None:
    assert pushed(server, folder, app, files)
    assert not pushed(server, folder, app, unread)
    assert "two" in server.get(app).body
    quick = image(server, app)
    assert server.ssh(f"redeploy {app} --no-cache").returncode == 0
    assert image(server, app) == quick
    assert server.ssh(f"config:set {app} WHO=ada").returncode == 0
    assert pushed(server, folder, app, {name: files[name] for name in unread if name in files})
    for name in unread.keys() - files.keys():
        (folder / name).unlink()
        assert not pushed(server, folder, app, {})
    before = marks(server, app)
    assert server.ssh(f"redeploy {app}").returncode == 0
    assert marks(server, app) == before, "a step that runs again touches what it leaves as it is"
    for each in read:
        assert pushed(server, folder, app, each), each


def test_after_a_build_that_failed_all_of_it_runs_again(server: Server, folder: Path) -> None:
    assert pushed(server, folder, "u-failing", FLASK)
    server.commit(folder, {"requirements.txt": "flask\ngunicorn\nno-such-package-anywhere==9\n"})
    assert server.push(folder, "u-failing").code == 1
    assert pushed(server, folder, "u-failing", {"requirements.txt": FLASK["requirements.txt"]})
    assert not pushed(server, folder, "u-failing", {"app.py": FLASK["app.py"].replace("one", "two")})
    assert server.get("u-failing").body == "two"


def test_who_asks_for_the_same_again_gets_a_whole_build(server: Server, folder: Path) -> None:
    assert pushed(server, folder, "u-again", FLASK)
    done = server.ssh("redeploy u-again")
    assert done.returncode == 0 and SKIPPED not in done.stdout and "Using Python" in done.stdout, done.stdout
    server.commit(folder, {}, message="Nothing but a message")
    assert pushed(server, folder, "u-again", {})


def test_a_build_script_runs_each_time(server: Server, folder: Path) -> None:
    scripts = '"scripts": {"start": "node lib/server.js", "build": "cp lib/words.js lib/built.js"}'
    files = {**NODE, "package.json": f'{{"name": "n", "version": "1.0.0", {scripts}}}'}
    files["lib/server.js"] = NODE["lib/server.js"].replace("./words", "./built")
    assert pushed(server, folder, "u-script", files)
    assert pushed(server, folder, "u-script", {"lib/words.js": "module.exports = 'two';\n"})
    assert server.get("u-script").body == "two"
