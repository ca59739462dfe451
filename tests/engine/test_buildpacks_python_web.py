"""The Python buildpack and web frameworks: Django's static files, and how an app without a Procfile is served."""

from pathlib import Path

import pytest

from tests.engine.buildpack_stand import EXAMPLES, App, shared
from tests.engine.server import Server

__all__ = ["shared"]

SETTINGS = """
import os
SECRET_KEY = os.environ["SECRET_KEY"]
INSTALLED_APPS = ["django.contrib.staticfiles"]
ROOT_URLCONF = "shop.urls"
STATIC_URL = "static/"
STATICFILES_DIRS = [os.path.join(os.path.dirname(__file__), "assets")]
"""
MANAGE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
WSGI = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
DJANGO = {
    "requirements.txt": "django\ngunicorn\n",
    "manage.py": MANAGE,
    "shop/__init__.py": "",
    "shop/settings.py": SETTINGS + "STATIC_ROOT = 'staticfiles'\n",
    "shop/wsgi.py": WSGI,
    "shop/urls.py": "urlpatterns = []\n",
    "shop/assets/site.css": "body { color: red }\n",
}


async def test_django_static_files_follow_every_change_whatever_the_times_say(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", DJANGO).standing() as app:
        app.configure(SECRET_KEY="s")
        app.write({"staticfiles/own.txt": "the app's own\n"})
        assert "1 static file copied" in (await app.build()).text
        app.write({"shop/assets/site.css": "body { color: tan }\n"})
        await app.run("touch -d @0 shop/assets/site.css")
        await app.build()
        assert (await app.run("cat staticfiles/site.css")).text == "body { color: tan }"
        await app.run("rm shop/assets/site.css; echo > shop/assets/other.css")
        await app.build()
        assert (await app.run("ls staticfiles")).text == "other.css\nown.txt"
        assert (await app.run("find . -name __pycache__ -not -path './.heroku/*'")).text == ""


async def test_failing_static_files_fail_the_build_with_a_way_out(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", DJANGO).standing() as app:
        failed = await app.compile()
        assert failed.code == 1
        assert "KeyError: 'SECRET_KEY'" in failed.text
        assert "config:set DISABLE_COLLECTSTATIC=1" in failed.text
        app.configure(DISABLE_COLLECTSTATIC="1")
        assert "collectstatic" not in (await app.build()).text


async def test_django_without_a_static_root_is_left_alone(tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", DJANGO | {"shop/settings.py": SETTINGS}).standing() as app:
        assert "no STATIC_ROOT in the settings" in (await app.build()).text


FLASK = "from flask import Flask\napp = Flask(__name__)\n\n@app.get('/')\ndef home():\n    return 'flask'\n"
FACTORY = FLASK.replace("app =", "def create_app():\n    app =").replace("\n\n@", "\n    @")
FACTORY = FACTORY.replace(
    "\ndef home():\n    return 'flask'\n", "\n    def home():\n        return 'flask'\n    return app\n"
)
DASH = (
    "from dash import Dash, html\n\napp = Dash(__name__)\nserver = app.server\napp.layout = html.Div('Dash')\n\n"
    "if __name__ == '__main__':\n    app.run(debug=True)\n"
)
STREAMLIT = "import streamlit as st\n\nst.set_page_config(page_title='Hello')\nst.write('Streamlit')\n"
FASTAPI = "from fastapi import FastAPI\napi = FastAPI()\n\n@api.get('/')\ndef home():\n    return 'fastapi'\n"
FASTHTML = "from fasthtml.common import *\napp, rt = fast_app()\n\n@rt('/')\ndef get():\n    return P('fasthtml')\n"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"requirements.txt": "flask\ngunicorn\n", "app.py": FLASK}, "gunicorn app:app"),
        ({"requirements.txt": "flask\ngunicorn\n", "main.py": FACTORY}, "gunicorn 'main:create_app()'"),
        (
            {"requirements.txt": "fastapi\nuvicorn\n", "app/__init__.py": "", "app/main.py": FASTAPI},
            "uvicorn --host 0.0.0.0 --port $PORT app.main:api",
        ),
        (
            {"requirements.txt": "fastapi\nhypercorn\n", "main.py": FASTAPI},
            "hypercorn --bind 0.0.0.0:$PORT main:api",
        ),
        (
            {"requirements.txt": "python-fasthtml\n", "main.py": FASTHTML},
            "uvicorn --host 0.0.0.0 --port $PORT main:app",
        ),
        ({"requirements.txt": "dash\ngunicorn\n", "app.py": DASH}, "gunicorn app:server"),
        (
            {"requirements.txt": "streamlit\n", "Hello.py": STREAMLIT, "utils.py": "import streamlit\n"},
            "streamlit run Hello.py --server.port $PORT --server.address 0.0.0.0 --server.headless true",
        ),
        (DJANGO, "gunicorn shop.wsgi:application"),
        (
            {f"src/{k}" if k != "requirements.txt" else k: v for k, v in DJANGO.items()},
            "gunicorn --chdir src shop.wsgi:application",
        ),
    ],
)
async def test_an_app_without_a_procfile_is_served_when_there_is_one_way_to(
    files: dict[str, str], command: str, tmp_path: Path, shared: Path
) -> None:
    async with App(tmp_path, shared, "python", files).standing() as app:
        app.configure(SECRET_KEY="s")
        await app.build()
        assert await app.web() == command
        async with app.serving(env={"SECRET_KEY": "s"}) as site:
            assert "Server" in (await site.get()).headers or "server" in (await site.get()).headers


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "flask\n", "app.py": FLASK},
        {"requirements.txt": "flask\ngunicorn\n", "app.py": FLASK, "main.py": FLASK},
        {"requirements.txt": "gunicorn\n", "app.py": "app = None\n"},
    ],
)
async def test_an_app_that_could_be_served_in_several_ways_or_none_gets_no_process(
    files: dict[str, str], tmp_path: Path, shared: Path
) -> None:
    async with App(tmp_path, shared, "python", files).standing() as app:
        await app.build()
        assert "web" not in await app.release()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"requirements.txt": "flask\n", "app.py": FLASK}, "There is Flask, but no server for it"),
        ({"requirements.txt": "fastapi\n", "main.py": FASTAPI}, "There is FastAPI, but no server for it"),
        ({**DJANGO, "requirements.txt": "django\n"}, "There is a Django project, but no server for it"),
    ],
)
def test_a_server_that_is_missing_is_named(server: Server, folder: Path, files: dict[str, str], said: str) -> None:
    server.commit(folder, files)
    app = f"unserved-{said.split()[2].lower().strip(',')}"
    server.ssh(f"apps:create {app}")
    assert server.ssh(f"config:set {app} SECRET_KEY=s").returncode == 0
    pushed = server.push(folder, app)
    assert pushed.code == 0 and said in pushed.text and "No web process type" in pushed.text, pushed.text


@pytest.mark.parametrize("name", ["python-flask", "python-django", "worker"])
async def test_the_python_examples_are_served(name: str, tmp_path: Path, shared: Path) -> None:
    async with App(tmp_path, shared, "python", EXAMPLES / name).standing() as app:
        await app.build()
        async with app.serving(env={"DYNO": "web.1", "HEROKU_RELEASE_VERSION": "v7"}) as site:
            answer = await site.get()
            assert answer.status == 200
            assert "Mothership" in answer.text
