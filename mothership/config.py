"""The server's settings: one TOML file in the data directory, every value with a default."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import tomli_w

from mothership.errors import Invalid

DATA = Path("/var/lib/mothership")
FILE = "mothership.toml"


@dataclass(frozen=True)
class Settings:
    """What an installation is made of. Times in seconds, sizes in MiB unless the name says otherwise.

    `instance` names this installation on its engine: every container, network, volume and service that belongs
    to it carries the label `mothership.instance=<instance>`, and nothing without the label is ever touched.
    """

    data: Path = DATA
    instance: str = "mothership"
    domain: str = "localhost"
    http_bind: str = ""
    http_port: int = 80
    https: bool = False
    ssh_port: int = 2222
    registry_port: int = 7878
    docker_host: str = "unix:///var/run/docker.sock"
    stack: str = "heroku-24"
    builds: int = field(default_factory=lambda: max(1, (os.cpu_count() or 1) // 2))
    max_input_size: int = 1024
    build_memory: int = 2048
    build_cpu: float = 2.0
    build_pids: int = 2048
    build_time: int = 1200
    build_disk: int = 10240
    cache_days: int = 90
    cache_size: int = 51200
    release_time: int = 1200
    run_time: int = 86400
    boot_timeout: int = 60
    worker_uptime: int = 5
    drain: int = 30
    grace: int = 30
    keep_releases: int = 10
    preview_days: int = 7
    log_size: int = 1024
    log_days: int = 30
    slots: int = 256
    insecure_tokens: bool = False
    internal_hosts: Sequence[str] = field(default_factory=list)
    ca_bundle: str = ""
    build_env: Mapping[str, str] = field(default_factory=dict)
    mirrors: Mapping[str, str] = field(default_factory=dict)
    buildpacks: Mapping[str, str] = field(default_factory=dict)

    @property
    def registry(self) -> str:
        """Where the engine pulls from and the builder puts to."""
        return f"127.0.0.1:{self.registry_port}"

    @property
    def network(self) -> str:
        """The attachable overlay that routed processes share."""
        return self.instance

    @property
    def url(self) -> str:
        """The server's own address, such as `http://mothership.localhost:8080`."""
        return f"{self.scheme}://mothership.{self.host_and_port}"

    @property
    def scheme(self) -> str:
        """What visitors use: https when a proxy with certificates stands in front of this server."""
        return "https" if self.https else "http"

    @property
    def public_port(self) -> int:
        """The port that visitors use."""
        return 443 if self.https else self.http_port

    @property
    def host_and_port(self) -> str:
        return self.domain if self.https or self.http_port == 80 else f"{self.domain}:{self.http_port}"

    def app_url(self, app: str) -> str:
        return f"{self.scheme}://{app}.{self.host_and_port}"


def load(data: Path) -> Settings:
    """Read the settings of an installation; a missing file means the defaults. Raises Invalid."""
    path = data / FILE
    if not path.exists():
        return Settings(data=data)
    try:
        values = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{path} is not valid TOML: {error}", "Mend the file, or delete it for the defaults.") from error
    known = {f.name for f in fields(Settings)} - {"data"}
    unknown = sorted(set(values) - known)
    if unknown:
        raise Invalid(f"{path} has unknown settings: {', '.join(unknown)}.", f"Known: {', '.join(sorted(known))}.")
    return Settings(data=data, **values)


def save(settings: Settings) -> None:
    """Write the settings file, readable by root only (it may hold mirror passwords)."""
    values = {k: v for k, v in asdict(settings).items() if k != "data"}
    path = settings.data / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_text(tomli_w.dumps(values))
    scratch.rename(path)
