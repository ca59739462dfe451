"""The apps that benchmarks/build.py builds, as repositories to which commits are added.

Each run's files hold a word of their own: an engine keeps the layers of the runs before.
"""

import json
import secrets
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RUN = secrets.token_hex(4)
PACKAGES = ("gunicorn", "whitenoise", "requests", "celery", "redis", "psycopg2-binary", "pillow", "boto3", "httpx")
MODULES = (
    "express",
    "mongoose",
    "winston",
    "jsonwebtoken",
    "socket.io",
    "pg",
    "redis",
    "pug",
    "body-parser",
    "helmet",
    "axios",
    "nodemailer",
)
MANAGE = (
    "import sys\nfrom django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n"
)
SETTINGS = (
    "SECRET_KEY='x'\nALLOWED_HOSTS=['*']\nROOT_URLCONF='site_.urls'\nSTATIC_ROOT='static'\nSTATIC_URL='/static/'\n"
    "INSTALLED_APPS=['django.contrib.staticfiles','django.contrib.admin','django.contrib.auth',"
    "'django.contrib.contenttypes']\n"
)


@dataclass(frozen=True)
class App:
    """An app to build: its files, one of source, one that the build's steps read, one more dependency, a Dockerfile."""

    name: str
    buildpack: str
    files: dict[str, str]
    source: str
    read: str
    added: Callable[[Path], None]
    dockerfile: str


def django() -> App:
    return App(
        name=f"Django, {len(PACKAGES) + 1} requirements",
        buildpack="python",
        files={
            "requirements.txt": "\n".join((f"# {RUN}", "django", *PACKAGES)) + "\n",
            "manage.py": "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'site_.settings'\n" + MANAGE,
            "site_/__init__.py": "",
            "site_/settings.py": SETTINGS,
            "site_/urls.py": "urlpatterns = []\n",
            "Procfile": "web: gunicorn site_.wsgi\n",
        },
        source="site_/urls.py",
        read="site_/settings.py",
        added=lambda folder: append(folder / "requirements.txt", "attrs\n"),
        dockerfile=(
            "ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv UV_LINK_MODE=copy\nRUN uv venv /venv\n"
            "COPY requirements.txt .\n"
            "RUN --mount=type=secret,id=env --mount=type=secret,id=ca --mount=type=cache,target=/uv "
            ". /run/secrets/env; UV_CACHE_DIR=/uv uv pip install --compile-bytecode -r requirements.txt\n"
            "COPY . .\nRUN python manage.py collectstatic --noinput\n"
        ),
    )


def express() -> App:
    return App(
        name=f"Express, {len(MODULES)} dependencies, some 220 packages",
        buildpack="node",
        files={
            "package.json": json.dumps(
                {"name": f"a-{RUN}", "version": "1.0.0", "scripts": {"start": "node a.js"}, "dependencies": {}},
                indent=1,
            ),
            "a.js": "require('express')().listen(process.env.PORT);\n",
            "app.config.js": "module.exports = {};\n",
        },
        source="a.js",
        read="app.config.js",
        added=lambda folder: npm(folder, "is-odd"),
        dockerfile=(
            "ENV PATH=/opt/node/bin:$PATH\nCOPY package.json package-lock.json ./\n"
            "RUN --mount=type=secret,id=env --mount=type=secret,id=ca --mount=type=cache,target=/npm "
            ". /run/secrets/env; npm ci --cache /npm --no-audit --no-fund\nCOPY . .\n"
        ),
    )


def change(app: App, path: Path, number: int) -> None:
    """A line that no build has seen, in a file that there is or is not yet."""
    append(path, f"{'#' if app.buildpack == 'python' else '//'} {RUN} {number}\n")


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def npm(folder: Path, *packages: str) -> None:
    words = ("npm", "install", "--package-lock-only", "--no-audit", "--no-fund", "--silent", *packages)
    subprocess.run(words, cwd=folder, check=True)


def commit_all(folder: Path, files: dict[str, str], bare: Path) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
        subprocess.run(("git", "init", "-q", "--bare", "-b", "main", str(bare)), check=True)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")
    git(folder, "push", "-q", str(bare), "main")
    return bare


def git(folder: Path, *words: str) -> str:
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    return subprocess.run(
        ("git", "-C", str(folder), *settings, *words), check=True, capture_output=True, text=True
    ).stdout.strip()
