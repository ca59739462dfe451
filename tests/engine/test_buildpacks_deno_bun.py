"""The Deno and Bun buildpacks: versions, locks, build steps, pruning, what runs without a network, caches."""

import json
import shutil
import urllib.request
from pathlib import Path

import pytest

from tests.engine.server import EXAMPLES, Server

PAGE = """
import ms from "npm:ms@2.1.3";
const text = `${Deno.version.deno} ${ms(1000)}`;
Deno.serve({ port: Number(Deno.env.get("PORT")), hostname: "0.0.0.0" }, () => new Response(text));
"""
SETTINGS = """
{
  // Deno allows comments, and commas at the end.
  "tasks": {
    "build": "deno eval 'Deno.writeTextFileSync(\\"built.txt\\", \\"built\\")'",
    "start": { "command": "deno run --cached-only -A server.ts" },
  },
  "imports": { "once": "npm:once@1.4.0" },
}
"""
SERVER = """
import once from "once";
import ms from "ms";
const text = [Deno.readTextFileSync("built.txt"), typeof once, ms(1000)].join(" ");
Deno.serve({ port: Number(Deno.env.get("PORT")), hostname: "0.0.0.0" }, () => new Response(text));
"""
JSR = "https://jsr.io/@std/assert/meta.json"


def test_the_deno_example_is_served_and_a_source_change_fetches_nothing(server: Server, folder: Path) -> None:
    shutil.copytree(EXAMPLES / "deno", folder, dirs_exist_ok=True)
    server.commit(folder)
    pushed = server.push(folder, "deno-example")
    assert pushed.code == 0 and "Download" in pushed.text, pushed.text
    assert server.get("deno-example").body.startswith("Hello from Deno 2.")
    main = (folder / "main.ts").read_text().replace("Hello", "Good day")
    server.commit(folder, {"main.ts": main})
    pushed = server.push(folder, "deno-example")
    assert pushed.code == 0 and "Dependencies are as in the last build" in pushed.text, pushed.text
    assert "Download" not in pushed.text and "Fetching" not in pushed.text, pushed.text
    assert server.get("deno-example").body.startswith("Good day from Deno 2.")


def test_a_deno_app_is_built_by_its_task_and_finds_every_module_in_its_image(server: Server, folder: Path) -> None:
    package = json.dumps({"dependencies": {"ms": "2.1.3"}})
    server.commit(folder, {"deno.jsonc": SETTINGS, "package.json": package, "server.ts": SERVER})
    pushed = server.push(folder, "deno-full")
    assert pushed.code == 0 and "Running deno task build" in pushed.text, pushed.text
    assert server.get("deno-full").body == "built function 1s"
    found = server.ssh("run deno-full ls -A .heroku/deno_dir").stdout.split()
    assert set(found) <= {".inputs", "npm", "remote"}, found


def test_a_lone_main_ts_is_run_by_the_deno_that_it_asks_for(server: Server, folder: Path) -> None:
    server.commit(folder, {"main.ts": PAGE, ".deno-version": "v2.1.4\n"})
    pushed = server.push(folder, "deno-lone")
    assert pushed.code == 0 and "Using Deno 2.1.4, as .deno-version asks for 2.1.4" in pushed.text, pushed.text
    assert server.get("deno-lone").body == "2.1.4 1s"
    assert server.ssh("config:set deno-lone DENO_VERSION=99").returncode == 0
    server.commit(folder, {".deno-version": ""})
    pushed = server.push(folder, "deno-lone")
    assert pushed.code == 1 and 'no Deno "99" to be had' in pushed.text and "2.1." in pushed.text, pushed.text
    assert server.get("deno-lone").body == "2.1.4 1s"


def test_a_deno_lock_that_is_out_of_date_and_broken_settings_are_told_so(server: Server, folder: Path) -> None:
    lock = {"version": "4", "specifiers": {}, "npm": {}}
    server.commit(folder, {"deno.json": "{}", "deno.lock": json.dumps(lock), "main.ts": PAGE})
    pushed = server.push(folder, "deno-wrong")
    assert pushed.code == 1 and "lockfile is out of date" in pushed.text, pushed.text
    server.commit(folder, {"deno.json": "{"})
    pushed = server.push(folder, "deno-wrong")
    assert pushed.code == 1 and "deno.json is not what it should be" in pushed.text, pushed.text


def test_modules_of_jsr_are_in_the_image_too(server: Server, folder: Path) -> None:
    try:
        urllib.request.urlopen(JSR, timeout=10).close()
    except OSError as error:
        pytest.skip(f"jsr.io can't be reached from here: {error}")
    page = 'import { assert } from "jsr:@std/assert@1";\nassert(true);\n' + PAGE
    server.commit(folder, {"main.ts": page, "Procfile": "web: deno run -A --cached-only main.ts\n"})
    pushed = server.push(folder, "deno-jsr")
    assert pushed.code == 0 and server.get("deno-jsr").status == 200, pushed.text


PACKAGE = {
    "name": "a",
    "private": True,
    "scripts": {"start": "node server.js", "build": "bun build.js"},
    "dependencies": {"ms": "2.1.3"},
    "devDependencies": {"once": "1.4.0"},
}
LOCK = """{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "a",
      "dependencies": {
        "ms": "2.1.3",
      },
      "devDependencies": {
        "once": "1.4.0",
      },
    },
  },
  "packages": {
    "ms": ["ms@2.1.3", "", {}, "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="],

    "once": ["once@1.4.0", "", { "dependencies": { "wrappy": "1" } }, "sha512-lNaJgI+2Q5URQBkccEKHTQOPaXdUxnZZElQTZY0MFUAuaEqe1E+Nyvgdz/aIyNi6Z9MzO5dv1H8n58/GELp3+w=="],

    "wrappy": ["wrappy@1.0.2", "", {}, "sha512-l4Sp/DRseor9wL6EvV2+TuQn63dMkPjZ/sp9XkghTEbV9KlPS1xUsZ3u7/IQO4wxtcFB4bgpQPRcR3QCvezPcQ=="],
  }
}
"""  # noqa: E501
WEB = """
const http = require("http");
const has = (name) => { try { require(name); return name; } catch { return ""; } };
http.createServer((request, response) => {
  const built = require("fs").readFileSync("built.txt", "utf8");
  const { node, bun } = process.versions;
  response.end(JSON.stringify({ node, bun, packages: [has("ms"), has("once")], built }));
}).listen(process.env.PORT, "0.0.0.0");
"""
BUILD = 'require("once"); require("fs").writeFileSync("built.txt", "built");\n'


def files(**changes: object) -> dict[str, str]:
    package = json.dumps({**PACKAGE, **changes}, indent=2)
    return {"package.json": package, "bun.lock": LOCK, "server.js": WEB, "build.js": BUILD}


def test_the_bun_example_is_served_and_a_source_change_installs_nothing(server: Server, folder: Path) -> None:
    shutil.copytree(EXAMPLES / "bun", folder, dirs_exist_ok=True)
    server.commit(folder)
    pushed = server.push(folder, "bun-example")
    assert pushed.code == 0 and "Installing packages with bun" in pushed.text, pushed.text
    assert server.get("bun-example").body.startswith("Hello from Bun 1.")
    server.commit(folder, {"server.ts": (folder / "server.ts").read_text().replace("Hello", "Good day")})
    pushed = server.push(folder, "bun-example")
    assert pushed.code == 0 and "Packages are as in the last build" in pushed.text, pushed.text
    assert "Installing" not in pushed.text and "Fetching" not in pushed.text, pushed.text
    assert server.get("bun-example").body.startswith("Good day from Bun 1.")
    found = server.ssh("run bun-example 'ls -A node_modules .heroku; command -v node'")
    assert "@types" not in found.stdout and "hono" in found.stdout and "node\n" not in found.stdout, found.stdout


def test_development_packages_build_a_bun_app_and_node_runs_what_says_node(server: Server, folder: Path) -> None:
    server.commit(folder, files())
    pushed = server.push(folder, "bun-full")
    assert pushed.code == 0 and "Pruning development packages" in pushed.text, pushed.text
    said = json.loads(server.get("bun-full").body)
    assert said["packages"] == ["ms", ""] and said["built"] == "built", said
    assert said["node"].startswith("22.") and "bun" not in said, said
    server.commit(folder, {"server.js": WEB + "// changed\n"})
    pushed = server.push(folder, "bun-full")
    assert pushed.code == 0 and "Packages are as in the last build; adding" in pushed.text, pushed.text
    assert json.loads(server.get("bun-full").body)["packages"] == ["ms", ""]
    assert server.ssh("config:set bun-full NPM_CONFIG_PRODUCTION=false").returncode == 0
    assert server.ssh("redeploy bun-full").returncode == 0
    assert json.loads(server.get("bun-full").body)["packages"] == ["ms", "once"]


def test_the_bun_that_package_manager_names_is_the_one_that_runs(server: Server, folder: Path) -> None:
    scripts = {"start": "bun server.js", "build": "bun build.js"}
    server.commit(folder, files(packageManager="bun@1.2.0", scripts=scripts))
    pushed = server.push(folder, "bun-old")
    assert pushed.code == 0 and "Using Bun 1.2.0, as packageManager in package.json asks" in pushed.text, pushed.text
    said = json.loads(server.get("bun-old").body)
    assert said["bun"] == "1.2.0" and said["packages"] == ["ms", ""], said


def test_a_bun_that_does_not_exist_is_an_error_that_lists_what_does(server: Server, folder: Path) -> None:
    server.commit(folder, {**files(), ".bun-version": "99.0.0\n"})
    pushed = server.push(folder, "bun-none")
    assert pushed.code == 1 and 'no Bun "99.0.0", which .bun-version asks for' in pushed.text, pushed.text
    assert "1.2." in pushed.text, pushed.text


def test_what_is_wrong_with_a_bun_app_is_told(server: Server, folder: Path) -> None:
    server.commit(folder, files(dependencies={"ms": "2.1.2"}))
    pushed = server.push(folder, "bun-wrong")
    assert pushed.code == 1 and "frozen" in pushed.text and "`bun install` renews bun.lock" in pushed.text, pushed.text
    server.commit(folder, {**files(), "build.js": "process.exit(4)\n"})
    pushed = server.push(folder, "bun-wrong")
    assert pushed.code == 1 and "The script build in package.json failed" in pushed.text, pushed.text
    server.commit(folder, {"package.json": "{"})
    pushed = server.push(folder, "bun-wrong")
    assert pushed.code == 1 and "not valid JSON" in pushed.text, pushed.text


def test_a_site_that_bun_builds_is_served_without_it(server: Server, folder: Path) -> None:
    scripts = {"start": "vite", "build": "bun build.ts"}
    build = """
import ms from "ms";
await Bun.write("dist/index.html", `<p>built by Bun in ${ms(1000)}</p>`);
"""
    package = json.dumps({"scripts": scripts, "devDependencies": {"ms": "2.1.3"}})
    server.commit(folder, {"package.json": package, "build.ts": build, "index.ts": "", ".bun-version": "1\n"})
    pushed = server.push(folder, "bun-site")
    assert pushed.code == 0 and "Serving dist/ with Caddy" in pushed.text, pushed.text
    assert server.get("bun-site", "/any/route").body == "<p>built by Bun in 1s</p>"
    workspace = server.data / "workspaces" / "bun-site" / "app"
    assert not (workspace / "node_modules").exists() and not (workspace / ".heroku/bun").exists()
    server.commit(folder, {"build.ts": build.replace("built", "rebuilt")})
    pushed = server.push(folder, "bun-site")
    assert pushed.code == 0 and "Packages are as in the last build" in pushed.text, pushed.text
    assert server.get("bun-site").body == "<p>rebuilt by Bun in 1s</p>"


def test_scripts_that_run_bun_make_a_bun_app_without_any_lock(server: Server, folder: Path) -> None:
    package = {"scripts": {"dev": "bun run --hot src/index.ts"}, "dependencies": {"ms": "2.1.3"}}
    page = (
        'import ms from "ms";\n\nexport default { fetch: () => new Response(`${process.versions.bun} ${ms(1000)}`) };\n'
    )
    server.commit(folder, {"package.json": json.dumps(package), "src/index.ts": page})
    pushed = server.push(folder, "bun-unlocked")
    assert pushed.code == 0 and "There is no bun.lock" in pushed.text, pushed.text
    assert server.get("bun-unlocked").body.endswith(" 1s")
