import os
from importlib.metadata import version
from importlib.resources import files
from wsgiref.simple_server import make_server

from itsdangerous import Signer


def app(environ: dict, start_response) -> list[bytes]:
    signed = Signer("key").sign("signed").decode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    text = f"ticker {version('ticker')} {files('ticker').joinpath('motto.txt').read_text()} {signed.partition('.')[0]}"
    return [text.encode()]


def main() -> None:
    make_server("0.0.0.0", int(os.environ["PORT"]), app).serve_forever()
