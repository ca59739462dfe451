"""The Node buildpack: package managers, build scripts, pruning, versions; and the static one's settings."""

import json
from pathlib import Path

import pytest

from tests.engine.server import Server

LOCKS = Path(__file__).parent / "node_locks"
PACKAGE = {
    "name": "a",
    "version": "1.0.0",
    "private": True,
    "scripts": {"start": "node server.js", "build": "node build.js"},
    "dependencies": {"ms": "2.1.3"},
    "devDependencies": {"once": "1.4.0"},
}
SERVER = """
const http = require("http");
const has = (name) => { try { require(name); return name; } catch { return ""; } };
http.createServer((request, response) => {
  const built = require("fs").readFileSync("built.txt", "utf8");
  response.end(JSON.stringify({ version: process.version, packages: [has("ms"), has("once")], built }));
}).listen(process.env.PORT, "0.0.0.0");
"""
BUILD = 'require("once"); require("fs").writeFileSync("built.txt", "built");\n'


def files(**changes: object) -> dict[str, str]:
    package = json.dumps({**PACKAGE, **changes}, indent=2)
    return {"package.json": package, "server.js": SERVER, "build.js": BUILD}


@pytest.mark.parametrize(
    ("app", "lock", "target", "extra"),
    [
        ("n-yarn", "yarn-1.lock", "yarn.lock", {}),
        ("n-berry", "yarn-4.lock", "yarn.lock", {".yarnrc.yml": "nodeLinker: node-modules\n"}),
        ("n-pnpm", "pnpm-lock.yaml", "pnpm-lock.yaml", {}),
    ],
)
def test_each_package_manager_installs_by_its_lock(
    server: Server, folder: Path, app: str, lock: str, target: str, extra: dict[str, str]
) -> None:
    server.commit(folder, {**files(), target: (LOCKS / lock).read_text(), **extra})
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text
    said = json.loads(server.get(app).body)
    assert said["packages"][0] == "ms" and said["built"] == "built"
    again = server.commit(folder, {"server.js": SERVER + "// changed\n"})
    pushed = server.push(folder, app)
    assert pushed.code == 0, pushed.text
    assert again and json.loads(server.get(app).body)["built"] == "built"


def test_development_packages_build_the_app_and_are_pruned(server: Server, folder: Path) -> None:
    server.commit(folder, files())
    pushed = server.push(folder, "n-npm")
    assert pushed.code == 0, pushed.text
    assert json.loads(server.get("n-npm").body)["packages"] == ["ms", ""]
    assert server.ssh("config:set n-npm NPM_CONFIG_PRODUCTION=false").returncode == 0
    assert server.ssh("redeploy n-npm").returncode == 0
    assert json.loads(server.get("n-npm").body)["packages"] == ["ms", "once"]


def test_the_version_that_engines_asks_for_is_the_one_that_runs(server: Server, folder: Path) -> None:
    server.commit(folder, files(engines={"node": "20.x"}))
    pushed = server.push(folder, "n-old")
    assert pushed.code == 0, pushed.text
    assert json.loads(server.get("n-old").body)["version"].startswith("v20.")


def test_a_version_that_does_not_exist_is_an_error_that_lists_what_does(server: Server, folder: Path) -> None:
    server.commit(folder, files(engines={"node": "99.x"}))
    pushed = server.push(folder, "n-none")
    assert pushed.code == 1 and "99.x" in pushed.text and "22.x" in pushed.text, pushed.text


def test_a_build_script_that_fails_is_named(server: Server, folder: Path) -> None:
    server.commit(folder, {**files(), "build.js": "process.exit(4)\n"})
    pushed = server.push(folder, "n-fails")
    assert pushed.code == 1 and "The script build in package.json failed" in pushed.text


def test_a_package_json_that_is_not_json_is_told_so(server: Server, folder: Path) -> None:
    server.commit(folder, {"package.json": "{"})
    pushed = server.push(folder, "n-broken")
    assert pushed.code == 1 and "not valid JSON" in pushed.text


def test_a_static_site_follows_its_settings_and_hides_what_is_not_for_visitors(server: Server, folder: Path) -> None:
    settings = {
        "root": "public",
        "clean_urls": True,
        "routes": {"/app/**": "index.html"},
        "redirects": {"/old": {"url": "/about"}},
        "headers": {"/**": {"X-Made-By": "hand"}},
    }
    server.commit(
        folder,
        {
            "static.json": json.dumps(settings),
            "public/index.html": "<p>home</p>",
            "public/about.html": "<p>about</p>",
            "public/404.html": "<p>lost</p>",
            "public/.secret": "x",
        },
    )
    pushed = server.push(folder, "site")
    assert pushed.code == 0, pushed.text
    home = server.get("site")
    assert home.body == "<p>home</p>" and home.headers["x-made-by"] == "hand"
    assert server.get("site", "/about").body == "<p>about</p>"
    assert server.get("site", "/app/anything").body == "<p>home</p>"
    assert server.get("site", "/old").body == "<p>about</p>"
    lost = server.get("site", "/nowhere")
    assert lost.status == 404 and lost.body == "<p>lost</p>"
    assert server.get("site", "/.secret").status == 404
