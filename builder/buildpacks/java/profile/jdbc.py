"""Print `export` lines that say in JDBC's words what URLs of databases in the environment say.

NAME_URL with a PostgreSQL, MySQL or MariaDB address gives JDBC_NAME_URL (for DATABASE_URL) or NAME_JDBC_URL, each with
_USERNAME and _PASSWORD; DATABASE_URL gives SPRING_DATASOURCE_URL and its like too (Heroku, "Connecting to relational
databases on Heroku with Java"). What is set already stays.
"""

# ruff: noqa: T201

import os
import shlex
from collections.abc import Iterator
from urllib.parse import SplitResult, quote, unquote, urlsplit

DRIVERS = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mariadb"}


def main() -> None:
    for name, value in sorted(os.environ.items()):
        for key, said in variables(name, value):
            if key not in os.environ:
                print(f"export {key}={shlex.quote(said)}")


def variables(name: str, value: str) -> Iterator[tuple[str, str]]:
    if not name.endswith("_URL") or name.startswith("JDBC_") or "\0" in value:
        return
    try:
        url = urlsplit(value)
        driver, place = DRIVERS.get(url.scheme, ""), address(url)
    except ValueError:
        return
    if not driver or not url.hostname:
        return
    user, password = unquote(url.username or ""), unquote(url.password or "")
    jdbc = f"jdbc:{driver}://{place}{url.path}"
    prefix = "JDBC_DATABASE" if name == "DATABASE_URL" else f"{name.removesuffix('_URL')}_JDBC"
    yield f"{prefix}_URL", jdbc + query(url, user, password)
    yield f"{prefix}_USERNAME", user
    yield f"{prefix}_PASSWORD", password
    unwanted = os.environ.get("DISABLE_SPRING_DATASOURCE_URL") or "SPRING_DATASOURCE_URL" in os.environ
    if name == "DATABASE_URL" and not unwanted:
        yield "SPRING_DATASOURCE_URL", jdbc + query(url, user, password)
        yield "SPRING_DATASOURCE_USERNAME", user
        yield "SPRING_DATASOURCE_PASSWORD", password


def address(url: SplitResult) -> str:
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else (url.hostname or "")
    return f"{host}:{url.port}" if url.port else host


def query(url: SplitResult, user: str, password: str) -> str:
    """The address's own query, with the credentials where drivers look for them."""
    named = [("user", user), ("password", password)]
    parts = [f"{key}={quote(value, safe='')}" for key, value in named if value]
    joined = "&".join([*parts, *([url.query] if url.query else [])])
    return f"?{joined}" if joined else ""


if __name__ == "__main__":
    main()
