"""Guess how to serve a Python app, where there is no doubt, and print it as a buildpack's release YAML."""

# ruff: noqa: T201

import os
import re
import shlex
import sys
from pathlib import Path

FLASK = re.compile(r"^(app|application)\s*=\s*(?:flask\.)?Flask\(", re.MULTILINE)
FLASK_FACTORY = re.compile(r"^def (create_app|make_app)\(\s*\)", re.MULTILINE)
WSGI = re.compile(r"^(app|application)\s*=|^from \S+ import (?:\w+ as )?(app|application)\b", re.MULTILINE)
DASH = re.compile(r"^(server)\s*=\s*\w+\.server\b", re.MULTILINE)
STREAMLIT = (r"^\s*st\.set_page_config\(", r"^import streamlit\b|^from streamlit\b")
FASTAPI = re.compile(r"^(\w+)\s*(?::\s*FastAPI\s*)?=\s*(?:fastapi\.)?FastAPI\(", re.MULTILINE)
FASTHTML = re.compile(r"^(\w+)(?:\s*,\s*\w+)*\s*=\s*(?:FastHTML|fast_app)\(", re.MULTILINE)
ASGI = {"fastapi": FASTAPI, "fasthtml": FASTHTML}
SERVES = re.compile(r"\bPORT\b")
"""Names the variable that says where to listen."""

SERVERS = ("gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve", "uwsgi")
DECLARED = Path("/mothership/declared")
MODULES = ("app.py", "main.py", "wsgi.py", "application.py", "server.py", "app/__init__.py", "app/main.py")


def main(root: Path) -> None:
    guesses = (django, flask, asgi, dash, streamlit, script)
    command = next(filter(None, (guess(root) for guess in guesses)), "")
    print("---")
    if command:
        print(f"default_process_types:\n  web: {quoted(command)}")
    elif nothing_declared(root) and (why := lacks(root)):
        print(f"\n !     {why}\n", file=sys.stderr)


def django(root: Path) -> str:
    """One project, served by Gunicorn through its wsgi.py or by Uvicorn through its asgi.py."""
    manage = next((p for pattern in ("manage.py", "*/manage.py") for p in sorted(root.glob(pattern))), None)
    if manage is None or not installed(root, "django"):
        return ""
    where = manage.parent.relative_to(root)
    for file, program, wanted in (("wsgi.py", "gunicorn", "application"), ("asgi.py", "uvicorn", "application")):
        found = [p for p in sorted(manage.parent.glob(f"*/{file}")) if (p.parent / "settings.py").is_file()]
        found = found or sorted(manage.parent.glob(f"*/{file}"))
        if len(found) == 1 and has(root, program):
            return served(program, f"{found[0].parent.name}.{file[:-3]}:{wanted}", str(where))
    return ""


def flask(root: Path) -> str:
    if not installed(root, "flask") or not has(root, "gunicorn"):
        return ""
    wsgi = root / "wsgi.py"
    if wsgi.is_file() and (match := WSGI.search(text(wsgi))):
        return served("gunicorn", f"wsgi:{match[1] or match[2]}")
    found = defined(root, FLASK) or [f"{target}()" for target in defined(root, FLASK_FACTORY)]
    return served("gunicorn", found[0]) if len(found) == 1 else ""


def asgi(root: Path) -> str:
    program = next((name for name in ("uvicorn", "hypercorn") if has(root, name)), "")
    packages = [package for package in ASGI if program and installed(root, package)]
    found = [name for package in packages for name in defined(root, ASGI[package])]
    return served(program, found[0]) if len(found) == 1 else ""


def script(root: Path) -> str:
    """A program that serves by itself: it names PORT, or it is Gradio's, which has variables of its own."""
    if not nothing_declared(root):
        return ""
    for name in ("main.py", "app.py", "server.py"):
        code = text(root / name) if (root / name).is_file() else ""
        if SERVES.search(code):
            return f"python {name}"
        if re.search(r"^(import|from) gradio\b", code, re.MULTILINE) and installed(root, "gradio"):
            return f"GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=$PORT python {name}"
    return ""


def lacks(root: Path) -> str:
    """What stands between a web app that was found and its server."""
    if any(has(root, program) for program in SERVERS):
        return ""
    if (root / "manage.py").is_file() and installed(root, "django"):
        return "There is a Django project, but no server for it among the packages: add gunicorn to them."
    if installed(root, "flask"):
        return "There is Flask, but no server for it among the packages: add gunicorn to them."
    if installed(root, "fastapi"):
        return "There is FastAPI, but no server for it among the packages: add uvicorn to them."
    return ""


def nothing_declared(root: Path) -> bool:
    others = os.environ.keys() & {"MOTHERSHIP_FOLLOWED", "MOTHERSHIP_PRECEDED"}
    return not others and not (root / "Procfile").is_file() and not (DECLARED.is_file() and DECLARED.read_text())


def dash(root: Path) -> str:
    """The Flask app below a Dash one, as its guide to deployment has it."""
    found = defined(root, DASH) if installed(root, "dash") and has(root, "gunicorn") else []
    return served("gunicorn", found[0]) if len(found) == 1 else ""


def streamlit(root: Path) -> str:
    """The page of the name that Streamlit's own hosting looks for, else the one that sets the page up."""
    if not has(root, "streamlit"):
        return ""
    pages = {path.name: text(path) for path in root.glob("*.py")}
    choices = [[name for name in pages if name == "streamlit_app.py"]]
    choices += [[name for name in pages if re.search(sign, pages[name], re.MULTILINE)] for sign in STREAMLIT]
    found = next((names for names in choices if len(names) == 1), [])
    options = "--server.port $PORT --server.address 0.0.0.0 --server.headless true"
    return f"streamlit run {shlex.quote(found[0])} {options}" if found else ""


def served(program: str, target: str, where: str = ".") -> str:
    if program == "gunicorn":
        target = f"'{target}'" if "(" in target else target
        return f"gunicorn {'' if where == '.' else f'--chdir {where} '}{target}"
    if program == "hypercorn":
        return f"hypercorn --bind 0.0.0.0:$PORT {target}"
    return f"uvicorn {'' if where == '.' else f'--app-dir {where} '}--host 0.0.0.0 --port $PORT {target}"


def defined(root: Path, pattern: re.Pattern[str]) -> list[str]:
    """`module:name` for each module in the usual places that defines what the pattern says."""
    paths = [root / name for name in MODULES if (root / name).is_file()]
    return [f"{module(root, path)}:{match[1]}" for path in paths if (match := pattern.search(text(path)))]


def module(root: Path, path: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def installed(root: Path, package: str) -> bool:
    return any(root.glob(f".heroku/python/lib/python*/site-packages/{package}/__init__.py"))


def has(root: Path, program: str) -> bool:
    return (root / ".heroku/python/bin" / program).is_file()


def text(path: Path) -> str:
    return path.read_text(errors="replace")


def quoted(command: str) -> str:
    """A YAML scalar that needs no other quoting (YAML 1.2, single-quoted style)."""
    return "'" + command.replace("'", "''") + "'"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
