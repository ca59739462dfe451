import os

from flask import Flask, request

app = Flask(__name__)


@app.get("/hello/<name>")
def hello(name: str) -> str:
    return f"{os.environ['GREETING']}, {name} at {request.host}"
