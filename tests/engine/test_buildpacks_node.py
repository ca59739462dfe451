"""The Node buildpack: package managers, build scripts, pruning, versions; and the static one's settings."""

import json
import shutil
from pathlib import Path

import pytest

from tests.engine.server import EXAMPLES, Server

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
AGED = """
var has = function (name) { try { require(name); return true; } catch (error) { return false; } };
var found = ["ms", "once"].filter(has);
require("http").createServer(function (request, response) {
  response.end(process.version + " " + found.join());
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


@pytest.mark.parametrize("manager", ["yarn@1.22.22", "yarn@4.5.3", "pnpm@10.0.0"])
def test_a_package_manager_without_its_lock_installs_and_says_so(server: Server, folder: Path, manager: str) -> None:
    app = "n-free-" + manager.split(".")[0].replace("@", "")
    server.commit(folder, files(packageManager=manager))
    pushed = server.push(folder, app)
    assert pushed.code == 0 and "versions may differ from build to build" in pushed.text, pushed.text
    assert json.loads(server.get(app).body)["packages"][0] == "ms"


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


@pytest.mark.parametrize("node", ["4.0.0", "10.x", "16.x"])
def test_an_old_node_gets_an_npm_that_it_can_run(server: Server, folder: Path, node: str) -> None:
    app = f"n-age{node.split('.')[0]}"
    server.commit(folder, {**files(engines={"node": node}), "server.js": AGED})
    pushed = server.push(folder, app)
    assert pushed.code == 0 and "Fetching npm" in pushed.text, pushed.text
    assert server.get(app).body.startswith(f"v{node.removesuffix('x')}"), server.get(app).body
    assert server.get(app).body.endswith(" ms"), server.get(app).body


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


SITE = {
    "package.json": json.dumps({"name": "s", "private": True, "scripts": {"build": "node build.js"}}),
    "build.js": """
const fs = require("fs");
fs.mkdirSync("dist/assets", { recursive: true });
fs.writeFileSync("dist/index.html", "<p>home</p>");
fs.writeFileSync("dist/about.html", "<p>about</p>");
fs.writeFileSync("dist/assets/index-CxTPeUVc.css", "p {}");
""",
    "index.html": "<p>the source</p>",
}


def test_a_build_that_leaves_a_site_is_served_without_node(server: Server, folder: Path) -> None:
    shutil.copytree(EXAMPLES / "vite", folder, dirs_exist_ok=True)
    server.commit(folder)
    pushed = server.push(folder, "n-vite")
    assert pushed.code == 0, pushed.text
    assert "Serving dist/ with Caddy" in pushed.text and '{"root": "FOLDER"} in static.json' in pushed.text
    home = server.get("n-vite")
    assert '<main id="app">' in home.body
    assert server.get("n-vite", "/deep/link").body == home.body
    script = home.body.split('src="')[1].split('"')[0]
    assert "immutable" in server.get("n-vite", script).headers["cache-control"]
    assert server.get("n-vite", "/assets/index-ABCDEFGH.js").status == 404
    workspace = server.data / "workspaces" / "n-vite" / "app"
    assert not (workspace / "node_modules").exists() and not (workspace / ".heroku/node").exists()
    server.commit(folder, {"src/main.js": 'document.body.textContent = "changed";\n'})
    pushed = server.push(folder, "n-vite")
    assert pushed.code == 0 and "Packages are as in the last build" in pushed.text, pushed.text
    assert script not in server.get("n-vite").body


def test_static_json_rules_what_a_build_leaves(server: Server, folder: Path) -> None:
    settings = {"root": "site", "error_page": "404.html", "headers": {"/": {"X-Made-By": "hand"}}}
    build = SITE["build.js"].replace("dist", "site") + 'fs.writeFileSync("site/404.html", "<p>lost</p>");\n'
    server.commit(folder, {**SITE, "build.js": build, "static.json": json.dumps(settings)})
    pushed = server.push(folder, "n-site")
    assert pushed.code == 0, pushed.text
    assert server.get("n-site").headers["x-made-by"] == "hand" and server.get("n-site").body == "<p>home</p>"
    assert server.get("n-site", "/about").body == "<p>about</p>"
    lost = server.get("n-site", "/nowhere")
    assert lost.status == 404 and lost.body == "<p>lost</p>"


def test_a_build_that_leaves_no_site_and_starts_nothing_says_what_was_looked_for(server: Server, folder: Path) -> None:
    server.commit(folder, {**SITE, "build.js": "", "index.html": ""})
    pushed = server.push(folder, "n-nowhere")
    assert pushed.code == 1, pushed.text
    assert (
        "Looked in: dist, build, out, _site, www, .output/public, public" in pushed.text
        and "static.json" in pushed.text
    )


ANSWER = """
const http = process.getBuiltinModule("http");
http.createServer((_, answer) => answer.end("made by the build")).listen(process.env.PORT);
"""
MAKE = """
const fs = require("fs"), path = require("path");
for (const name of process.argv.slice(2)) {
  fs.mkdirSync(path.dirname(name), { recursive: true });
  fs.copyFileSync("answer.js", name);
}
"""
FRAMEWORKS = {
    "sveltekit": ("svelte.config.js", "@sveltejs/adapter-node", "build/handler.js build/index.js", "node build"),
    "astro": ("astro.config.mjs", "@astrojs/node", "dist/server/entry.mjs", "node dist/server/entry.mjs"),
    "nuxt": ("nuxt.config.ts", "", ".output/server/index.mjs && true nuxt build", "node .output/server/index.mjs"),
}
"""By name: a settings file, what it names, what the build leaves, what has to start it."""


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_server_that_a_framework_builds_needs_no_start_script(server: Server, folder: Path, name: str) -> None:
    settings, adapter, made, started = FRAMEWORKS[name]
    scripts = {"dev": "vite", "build": f"node make.js {made}", "preview": "vite preview"}
    package = json.dumps({"scripts": scripts})
    server.commit(folder, {settings: adapter, "make.js": MAKE, "answer.js": ANSWER, "package.json": package})
    pushed = server.push(folder, f"n-made-{name}")
    assert pushed.code == 0 and f" {started}" in pushed.text, pushed.text
    assert server.get(f"n-made-{name}").body == "made by the build"


def test_a_framework_for_servers_that_leaves_a_site_has_it_served(server: Server, folder: Path) -> None:
    config = {"astro.config.mjs": 'import node from "@astrojs/node";\n'}
    server.commit(folder, {**SITE, **config})
    pushed = server.push(folder, "n-all-static")
    assert pushed.code == 0 and "Serving dist/ with Caddy" in pushed.text, pushed.text
    assert server.get("n-all-static", "/about").body == "<p>about</p>"


def test_a_start_script_of_a_development_tool_gives_way_to_that_for_production(server: Server, folder: Path) -> None:
    scripts = {"build": "node make.js dist/main.js", "start": "nest start", "start:prod": "node dist/main"}
    server.commit(folder, {"make.js": MAKE, "answer.js": ANSWER, "package.json": json.dumps({"scripts": scripts})})
    pushed = server.push(folder, "n-nest")
    assert pushed.code == 0 and "The web process will be: npm run start:prod" in pushed.text, pushed.text
    assert server.get("n-nest").body == "made by the build"


@pytest.mark.parametrize(
    ("app", "start"),
    [
        ("n-eleventy", "npx @11ty/eleventy --serve --quiet"),
        ("n-gatsby", "npm run develop"),
        ("n-react", "cross-env PORT=3000 react-scripts start"),
        ("n-expo", "expo start"),
    ],
)
def test_a_start_script_that_watches_sources_starts_no_server(
    server: Server, folder: Path, app: str, start: str
) -> None:
    build = SITE["build.js"].replace("dist", "_site")
    scripts = {"build": "node build.js", "start": start, "develop": "gatsby develop"}
    server.commit(folder, {**SITE, "build.js": build, "package.json": json.dumps({"scripts": scripts})})
    pushed = server.push(folder, app)
    assert pushed.code == 0 and "Serving _site/ with Caddy" in pushed.text, pushed.text
    assert server.get(app, "/about").body == "<p>about</p>"


NATIVE = {
    "binding.gyp": '{"targets": [{"target_name": "native", "sources": ["native.c"]}]}\n',
    "native.c": """
#include <node_api.h>
static napi_value start(napi_env env, napi_value exports) {
  napi_value answer;
  napi_create_int32(env, 42, &answer);
  napi_set_named_property(env, exports, "answer", answer);
  return exports;
}
NAPI_MODULE(native, start)
""",
    "package.json": json.dumps({"name": "native", "version": "1.0.0", "main": "build/Release/native.node"}),
}


def test_workspaces_native_code_and_the_package_manager_at_run_time(server: Server, folder: Path) -> None:
    package = {
        "name": "mono",
        "private": True,
        "workspaces": ["packages/*"],
        "engines": {"npm": "11.x"},
        "cacheDirectories": ["cached"],
        "scripts": {"build": "ls cached 2>/dev/null; mkdir -p cached && touch cached/kept; npm --version > npm.txt"},
    }
    native = {f"packages/native/{name}": text for name, text in NATIVE.items()}
    code = """
const answer = require("native").answer, npm = require("fs").readFileSync("npm.txt", "utf8").split(".")[0];
const now = require("child_process").execSync("npm --version").toString().split(".")[0];
require("http").createServer((_, r) => r.end(JSON.stringify([answer, npm, now]))).listen(process.env.PORT);
"""
    files = {**native, "package.json": json.dumps(package), "web.js": code, "Procfile": "web: node web.js\n"}
    server.commit(folder, files)
    pushed = server.push(folder, "n-mono")
    assert pushed.code == 0, pushed.text
    assert json.loads(server.get("n-mono").body) == [42, "11", "11"]
    server.commit(folder, {"web.js": code + "// changed\n"})
    pushed = server.push(folder, "n-mono")
    assert pushed.code == 0 and "Restoring cached from the cache" in pushed.text, pushed.text
    assert json.loads(server.get("n-mono").body) == [42, "11", "11"]


def test_yarn_runs_in_the_app_as_it_did_in_the_build(server: Server, folder: Path) -> None:
    files_ = {**files(), "yarn.lock": (LOCKS / "yarn-4.lock").read_text(), ".yarnrc.yml": "nodeLinker: pnp\n"}
    server.commit(folder, {**files_, "Procfile": "web: yarn node server.js\n"})
    pushed = server.push(folder, "n-pnp")
    assert pushed.code == 0, pushed.text
    assert json.loads(server.get("n-pnp").body)["packages"][0] == "ms"


def test_what_next_exports_is_a_site_whatever_its_start_script_says(server: Server, folder: Path) -> None:
    scripts = {"build": "node build.js", "start": "next start"}
    files = {
        "package.json": json.dumps({"name": "s", "scripts": scripts}),
        "build.js": SITE["build.js"].replace("dist", "out"),
    }
    server.commit(folder, {**files, "next.config.mjs": 'export default { output: "export" };\n'})
    pushed = server.push(folder, "n-export")
    assert pushed.code == 0 and "Serving out/ with Caddy" in pushed.text, pushed.text
    assert server.get("n-export").body == "<p>home</p>"


def test_vite_says_where_it_leaves_a_site(server: Server, folder: Path) -> None:
    files = {**SITE, "build.js": SITE["build.js"].replace("dist", "theoutput")}
    server.commit(folder, {**files, "vite.config.js": "export default { build: { outDir: 'theoutput' } };\n"})
    pushed = server.push(folder, "n-outdir")
    assert pushed.code == 0 and "Serving theoutput/ with Caddy" in pushed.text, pushed.text


def test_a_lock_that_is_behind_package_json_is_named(server: Server, folder: Path) -> None:
    lock = {"name": "l", "lockfileVersion": 3, "requires": True, "packages": {"": {"name": "l"}}}
    package = {"name": "l", "scripts": {"start": "node a.js"}, "dependencies": {"is-odd": "3.0.1"}}
    server.commit(folder, {"package.json": json.dumps(package), "package-lock.json": json.dumps(lock)})
    pushed = server.push(folder, "n-behind")
    assert pushed.code == 1 and "not up to date with package.json" in pushed.text, pushed.text
    assert "Run npm install, commit the lock file" in pushed.text


def test_astros_server_listens_for_others(server: Server, folder: Path) -> None:
    listens = "listen(process.env.PORT, process.env.HOST || 'localhost');"
    listens = f"(await import('http')).createServer((q, a) => a.end('astro')).{listens}"
    files = {"package.json": json.dumps({"name": "a", "scripts": {"start": "node dist/server/entry.mjs"}})}
    server.commit(folder, {**files, "dist/server/entry.mjs": listens})
    pushed = server.push(folder, "n-astro-start")
    assert pushed.code == 0 and server.get("n-astro-start").body == "astro", pushed.text


def test_a_start_command_of_renders_makes_a_server_of_what_would_be_a_site(server: Server, folder: Path) -> None:
    blueprint = "services: [{type: web, runtime: node, buildCommand: npm run build, startCommand: node app.js}]\n"
    app = "require('http').createServer((q, a) => a.end(process.version)).listen(process.env.PORT);"
    server.commit(folder, {**SITE, "render.yaml": blueprint, "app.js": app})
    assert server.ssh("apps:create n-render").returncode == 0
    assert server.ssh("config:set n-render NODE_VERSION=abc").returncode == 0
    pushed = server.push(folder, "n-render")
    assert pushed.code == 1 and 'the config var NODE_VERSION asks for Node "abc"' in pushed.text, pushed.text
    assert server.ssh("config:set n-render NODE_VERSION=22").returncode == 0
    pushed = server.push(folder, "n-render")
    assert pushed.code == 0 and "as the config var NODE_VERSION asks for 22" in pushed.text, pushed.text
    assert "render.yaml declares types -> web" in pushed.text and "command not found" not in pushed.text
    assert server.get("n-render").body.startswith("v22.")
