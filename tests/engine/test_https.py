"""Apps that want https: told when there is none, served when a proxy with certificates stands in front."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.server import Server

STRICT = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        secure = self.headers["X-Forwarded-Proto"] == "https"
        self.send_response(200 if secure else 301)
        if not secure:
            self.send_header("Location", f"https://{self.headers['Host']}{self.path}")
        self.end_headers()
        self.wfile.write(f"{self.headers['X-Forwarded-For']} {self.headers['X-Forwarded-Port']}".encode())
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
FILES = {"app.py": STRICT, "requirements.txt": "", "Procfile": "web: python app.py\n"}


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Server]:
    """A Mothership with a proxy in front that has certificates."""
    with Server(tmp_path_factory.mktemp("behind"), f"mstt{worker_id}", https=True) as made:
        yield made


def test_an_app_that_redirects_to_https_is_told_that_there_is_none(server: Server, folder: Path) -> None:
    server.commit(folder, FILES)
    pushed = server.push(folder, "wants-https")
    assert pushed.code == 0 and "wants-https redirects to https://" in pushed.text, pushed.text


def test_behind_a_proxy_with_certificates_apps_are_asked_by_https(behind: Server, folder: Path) -> None:
    behind.commit(folder, FILES)
    pushed = behind.push(folder, "has-https")
    assert pushed.code == 0 and "redirects" not in pushed.text, pushed.text
    assert "https://has-https.localhost deployed" in pushed.text
    served = behind.get("has-https")
    assert served.status == 200 and served.body.endswith(" 443")
