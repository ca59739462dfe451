"""Writes a Caddyfile for a folder of files from static.json (the fields of Heroku's static buildpack)."""

# ruff: noqa: T201

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from site_folder import fail, folder, is_built, settings  # noqa: E402

HIDDEN = ("Procfile", "static.json", "Staticfile", "app.json", "package.json", "package-lock.json", "node_modules/*")
HASHED = (
    r"^/(.*/)?(_next/static|_astro|_nuxt|_app/immutable)/"
    r"|^/(.*/)?assets/[^/]*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$"
    r"|^/(.*/)?(js|css|img|fonts|media)/[^/]*\.[0-9a-f]{8,}(\.chunk)?\.[a-z0-9]+$"
)
"""Files whose name changes with their content, as the usual bundlers name them."""


def main(build: Path, target: Path) -> None:
    said = settings(build)
    root = folder(build, said)
    print(f"-----> Serving {'the whole repository' if root == '.' else root + '/'} with Caddy")
    if "root" not in said:
        print('       Another folder: {"root": "FOLDER"} in static.json')
    text = caddyfile(said, build, root)
    if not target.exists() or target.read_text() != text:  # a layer whose files are touched is cut anew
        target.write_text(text)


def caddyfile(settings: dict[str, Any], build: Path, root: str) -> str:
    place = build / root
    lines = ["{", "\tadmin off", "\tauto_https off", "}", ":{$PORT} {"]
    lines += [f"\troot * {word(str(Path('/app') / root))}", "\tencode zstd gzip", *hidden()]
    for path, headers in (settings.get("headers") or {}).items():
        for name, value in headers.items():
            lines.append(f"\theader {matcher(path)} {word(name)} {word(str(value))}")
    for path, rule in (settings.get("redirects") or {}).items():
        lines.append(f"\tredir {word(path)} {word(rule['url'])} {int(rule.get('status', 301))}")
    for path, file in (settings.get("routes") or {}).items():
        lines += route(f"@route{len(lines)}", path, file)
    page = settings.get("error_page") or ("404.html" if (place / "404.html").is_file() else "")
    if is_built(build):
        lines += built(single_page=not page and not settings.get("routes"))
    elif settings.get("clean_urls"):
        lines.append("\ttry_files {path} {path}.html {path}/index.html")
    lines.append("\tfile_server")
    if page:
        lines += ["\thandle_errors 404 {", f"\t\trewrite * /{word(page.lstrip('/'))}", "\t\tfile_server", "\t}"]
    return "\n".join([*lines, "}", ""])


def hidden() -> Iterator[str]:
    yield "\t@hidden {"
    yield f"\t\tpath /.* */.* {' '.join('/' + name for name in HIDDEN)}"
    yield "\t\tnot path /.well-known/*"
    yield "\t}"
    yield "\trespond @hidden 404"


def route(name: str, path: str, file: str) -> Iterator[str]:
    yield from (f"\t{name} {{", f"\t\tpath {matcher(path)}", "\t\tnot file", "\t}")
    yield f"\trewrite {name} /{word(file.lstrip('/'))}"


def built(*, single_page: bool) -> Iterator[str]:
    """For a bundler's output: hashed files for ever, pages without .html, the rest by the app's own router."""
    yield from ("\t@hashed {", f"\t\tpath_regexp `{HASHED}`", "\t\tfile", "\t}")
    yield '\theader @hashed Cache-Control "public, max-age=31536000, immutable"'
    files = f"{{path}} {{path}}.html {{path}}/index.html{' /index.html' if single_page else ''}"
    yield from (
        "\t@page {",
        f"\t\tnot path_regexp `{HASHED}`",
        "\t\tfile {",
        f"\t\t\ttry_files {files}",
        "\t\t}",
        "\t}",
    )
    yield "\trewrite @page {file_match.relative}"


def matcher(path: str) -> str:
    """Heroku's `/**` is everything below."""
    return word(re.sub(r"\*+", "*", path))


def word(text: str) -> str:
    """One token of a Caddyfile."""
    if "\n" in text or "`" in text:
        fail(f"static.json has a value that can't be used: {text!r}")
    return f"`{text}`" if re.search(r'[\s"{}#]', text) else text


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
