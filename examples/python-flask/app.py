import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    greeting = os.environ.get("GREETING", "Hello from Flask on Mothership")
    return (
        f"{greeting}! This is {os.environ.get('DYNO', 'local')}, release {os.environ.get('MOTHERSHIP_RELEASE', '-')}.\n"
    )
