"""What the files of other platforms say of how an app runs."""

from pathlib import Path

import pytest

from builder.commit import Root
from builder.declaration import Declaration
from builder.declared import declared, remarks, usable

RENDER = b"""\
services:
  - type: web
    name: shop
    runtime: python
    buildCommand: "./build.sh"
    startCommand: python -m gunicorn shop.asgi:application
    preDeployCommand: python manage.py migrate
    envVars:
      - key: DATABASE_URL
        fromDatabase: {name: shop, property: connectionString}
      - key: SECRET_KEY
        generateValue: true
      - key: WEB_CONCURRENCY
        value: 4
      - {key: PORT, value: 10000}
      - {key: "a b", value: x}
  - {type: worker, name: Mails, runtime: python, startCommand: celery -A shop worker}
  - {type: web, runtime: static, name: pages, staticPublishPath: ./pages}
  - {type: cron, name: night, startCommand: python night.py}
  - {type: web, rootDir: api, startCommand: uvicorn api}
databases: [{name: shop}]
"""
RAILWAY = b'{"build": {"builder": "NIXPACKS"}, "deploy": {"startCommand": "node a.js", "preDeployCommand": ["a", "b"]}}'


def root(**files: bytes) -> Root:
    named = {name.replace("_", "."): data for name, data in files.items()}
    return Root(1, tuple(named), named)


def test_a_blueprint_of_renders_is_read_for_the_services_of_the_root() -> None:
    found = declared(root(render_yaml=RENDER))
    assert found.processes == {
        "web": "python -m gunicorn shop.asgi:application",
        "release": "python manage.py migrate",
        "worker": "celery -A shop worker",
    }
    assert found.file == "render.yaml" and found.config == {"WEB_CONCURRENCY": "4"}
    assert found.unset == ("DATABASE_URL", "SECRET_KEY") and found.build == "./build.sh"


def test_workers_that_are_several_go_by_their_names() -> None:
    text = b"services: [{type: worker, name: A, startCommand: a}, {type: worker, name: b c, startCommand: b}]"
    assert declared(root(render_yaml=text)).processes == {"a": "a"}


def test_a_worker_that_is_named_web_takes_no_web_process_place() -> None:
    text = (
        b"services: [{type: web, startCommand: w}, {type: worker, name: web, startCommand: x}, {type: worker, name: b}]"
    )
    assert declared(root(render_yaml=text)).processes == {"web": "w"}


@pytest.mark.parametrize(
    ("name", "data", "processes"),
    [
        ("railway_json", RAILWAY, {"web": "node a.js", "release": "a && b"}),
        ("railway_toml", b'[deploy]\nstartCommand = "node a.js"\n', {"web": "node a.js"}),
        ("nixpacks_toml", b'[start]\ncmd = "node a.js"\n', {"web": "node a.js"}),
        ("railway_json", b"[]", {}),
        ("railway_json", b'{"deploy": []}', {}),
        ("render_yaml", b"services: {}", {}),
        ("render_yaml", b"services: [1, {type: web}, {type: [web]}]", {}),
        ("heroku_yml", b"run: {web: a}", {"web": "a"}),
        ("package_json", b"{}", {}),
    ],
)
def test_other_files_are_read_for_their_start_commands(name: str, data: bytes, processes: dict[str, str]) -> None:
    assert declared(root(**{name: data})).processes == processes


def test_the_apps_own_procfile_is_the_only_one_that_counts() -> None:
    files = {"Procfile": b"worker: x", "render_yaml": RENDER}
    assert declared(root(**files)) == Declaration("Procfile", {"worker": "x"})


def test_with_a_dockerfile_renders_own_way_of_building_does_not_count() -> None:
    assert declared(root(render_yaml=RENDER), image=True).processes == {}
    assert declared(root(render_yaml=RENDER, railway_json=RAILWAY), image=True).processes["web"] == "node a.js"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("render_yaml", b"a: [b"),
        ("railway_json", b"{"),
        ("railway_json", b'{"deploy": {"startCommand": "a\\u0000b"}}'),
        ("railway_json", b'{"deploy": {"startCommand": "\\ud800"}}'),
        ("railway_json", b"[" * 100_000),
        ("railway_toml", b"["),
        ("nixpacks_toml", b'[start]\ncmd = "a\\u0000b"\n'),
    ],
)
def test_a_file_of_another_platform_that_cannot_be_read_stops_nothing(name: str, data: bytes) -> None:
    found = declared(root(**{name: data}))
    assert found.processes == {} and found.trouble
    assert [line for line in remarks(found, {}, {}, "shop") if "not used" in line and found.file in line]


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("./app", False),
        ("A=b ./app --x", False),
        ("cargo run --release", False),
        ("PORT=1 go run .", False),
        ("./../../etc/passwd", False),
        ("uv run uvicorn main:app --host 0.0.0.0", False),
        ("poetry run gunicorn app:app", False),
        ("./run.sh", False),
        ("bash run.sh --x", False),
        ("./looped", False),
        ("yarn start", False),
        ("PORT=1 pnpm start", False),
        ("npm start", True),
        ("uvicorn main:app", True),
        ("./start.sh", True),
        ("node dist/main.js", True),
        ("gunicorn app:app", True),
    ],
)
def test_a_start_command_of_what_only_their_build_makes_gives_way(tmp_path: Path, command: str, kept: bool) -> None:
    (tmp_path / "start.sh").write_text("# not by uv run\nexec gunicorn app:app\n")
    (tmp_path / "run.sh").write_text("set -e\n\n  exec uv run fastapi run --port $PORT\n")
    (tmp_path / "looped").symlink_to("looped")
    (tmp_path / ".heroku/node/bin").mkdir(parents=True)
    (tmp_path / ".heroku/node/bin/npm").symlink_to("../lib/npm-cli.js")
    found = Declaration("render.yaml", {"web": command})
    assert usable(found, {"web": "bin/app"}, tmp_path) == ({"web": command} if kept else {})
    assert usable(found, {}, tmp_path) == {"web": command}
    assert usable(Declaration("Procfile", {"web": command}), {"web": "x"}, tmp_path) == {"web": command}


@pytest.mark.parametrize(
    ("build", "said"),
    [
        ("pip install -r requirements.txt", False),
        ("npm install && npm run build", False),
        ("yarn --frozen-lockfile; yarn build", False),
        ("go build -tags netgo -ldflags '-s -w' -o app", False),
        ("./build.sh", True),
        ("npm ci && npx prisma migrate deploy", True),
    ],
)
def test_a_build_command_that_no_buildpack_stands_for_is_named(build: str, said: bool) -> None:
    assert [line for line in remarks(Declaration("render.yaml", build=build), {}, {}, "a") if "Not run" in line] == (
        [f"Not run: its build command {build!r}, in whose place the buildpack builds"] if said else []
    )


def test_config_vars_that_are_missing_are_named_and_others_are_not() -> None:
    lines = list(remarks(Declaration("render.yaml", unset=("A", "B")), {}, {"A": "x"}, "shop"))
    assert lines == [
        "It has config vars that this app lacks: B",
        "Set them if it needs them: mothership config:set -a shop B=...",
    ]
