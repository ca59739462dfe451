"""Writes a Caddyfile for a folder of files from static.json (the fields of Heroku's static buildpack)."""

import json
import re
import sys
from pathlib import Path

FOLDERS = ("public", "dist", "build")
HIDDEN = (".*", "*/.*", "Procfile", "static.json", "app.json", "package.json", "package-lock.json", "node_modules/*")


def main(build: Path, target: Path) -> None:
    settings = read(build / "static.json")
    root = settings.get("root") or guess(build)
    place = (build / root).resolve()
    if not place.is_relative_to(build) or not place.is_dir():
        fail(f"The folder {root!r}, which static.json names as root, is not there.")
    print(
        f"-----> Serving {'the whole repository' if place == build else str(place.relative_to(build)) + '/'} with Caddy"
    )
    target.write_text(caddyfile(settings, Path("/app") / place.relative_to(build)))


def read(path: Path) -> dict:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        fail(f"static.json is not valid JSON: {error}")
    if not isinstance(found, dict):
        fail("static.json must be an object.")
    return found


def guess(build: Path) -> str:
    if (build / "index.html").exists():
        return "."
    return next((name for name in FOLDERS if (build / name / "index.html").exists()), ".")


def caddyfile(settings: dict, root: Path) -> str:
    lines = [
        "{",
        "\tadmin off",
        "\tauto_https off",
        "}",
        ":{$PORT} {",
        f"\troot * {word(str(root))}",
        "\tencode zstd gzip",
    ]
    lines += [f"\t@hidden path {' '.join('/' + name for name in HIDDEN)}", "\trespond @hidden 404"]
    for path, headers in (settings.get("headers") or {}).items():
        for name, value in headers.items():
            lines.append(f"\theader {matcher(path)} {word(name)} {word(str(value))}")
    for path, rule in (settings.get("redirects") or {}).items():
        lines.append(f"\tredir {word(path)} {word(rule['url'])} {int(rule.get('status', 301))}")
    for path, file in (settings.get("routes") or {}).items():
        name = f"@route{len(lines)}"
        lines += [
            f"\t{name} {{",
            f"\t\tpath {matcher(path)}",
            "\t\tnot file",
            "\t}",
            f"\trewrite {name} /{word(file.lstrip('/'))}",
        ]
    if settings.get("clean_urls"):
        lines.append("\ttry_files {path} {path}.html {path}/index.html")
    lines.append("\tfile_server")
    page = settings.get("error_page") or (
        "404.html" if (Path(sys.argv[1]) / root.relative_to("/app") / "404.html").exists() else ""
    )
    if page:
        lines += ["\thandle_errors 404 {", f"\t\trewrite * /{word(page.lstrip('/'))}", "\t\tfile_server", "\t}"]
    return "\n".join([*lines, "}", ""])


def matcher(path: str) -> str:
    """Heroku's `/**` is everything below."""
    return word(re.sub(r"\*+", "*", path))


def word(text: str) -> str:
    """One token of a Caddyfile."""
    if "\n" in text or "`" in text:
        fail(f"static.json has a value that can't be used: {text!r}")
    return f"`{text}`" if re.search(r'[\s"{}#]', text) else text


def fail(text: str) -> None:
    print(f" !     {text}")
    sys.exit(1)


main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
