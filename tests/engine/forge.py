"""A provider of repositories in miniature: git over smart HTTP, and an API that takes commit statuses."""

import base64
import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LOGIN = "ada:sesame"


class Forge:
    """Serves `<root>/NAME.git` at an address that containers reach; `/private/…` asks for LOGIN."""

    def __init__(self, root: Path, host: str) -> None:
        self.root = root
        self.statuses: list[dict[str, Any]] = []
        self.broken = False
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._git(b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b"".join(iter(self._chunk, b""))
                if self.path.startswith("/api/"):
                    said = {"path": self.path, "login": self._token(), **json.loads(body)}
                    forge.statuses.append(said)
                    self._answer(500 if forge.broken else 201, b"{}")
                    return
                self._git(body)

            def _token(self) -> str:
                return str(self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")

            def _git(self, body: bytes) -> None:
                parts = urlsplit(self.path)
                wanted = "Basic " + base64.b64encode(LOGIN.encode()).decode()
                if parts.path.startswith("/private/") and self.headers.get("Authorization") != wanted:
                    self._answer(401, b"who are you?", **{"WWW-Authenticate": 'Basic realm="forge"'})
                    return
                if not parts.path.partition(".git/")[2]:
                    self._file(parts.path)
                    return
                environment = {
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(forge.root),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "PATH_INFO": parts.path.removeprefix("/private"),
                    "QUERY_STRING": parts.query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "GIT_CONFIG_COUNT": "1",
                    "GIT_CONFIG_KEY_0": "safe.directory",
                    "GIT_CONFIG_VALUE_0": "*",
                }
                done = subprocess.run(
                    ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
                )
                head, _, rest = done.stdout.partition(b"\r\n\r\n")
                headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
                status = int(headers.pop("Status", "200").split()[0])
                self._answer(status, rest, **headers)

            def _file(self, path: str) -> None:
                found = forge.root / path.strip("/")
                self._answer(200, found.read_bytes()) if found.is_file() else self._answer(404, b"")

            def _chunk(self) -> bytes:
                size = int(self.rfile.readline(), 16)
                data = self.rfile.read(size)
                self.rfile.readline()
                return data

            def _answer(self, status: int, body: bytes, **headers: str) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
