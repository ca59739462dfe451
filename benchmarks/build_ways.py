"""The ways to an image that benchmarks/build.py compares: each ends when it is in the same registry."""

import base64
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from builder import Builder, Source
from builder.certificates import BUNDLE
from builder.credential import credential
from builder.disk import folder_size
from builder.packs import HERE
from builder.stack.plan import build_image
from mothership.config import Settings
from mothership.engine import Engine
from mothership.output import Output


@dataclass
class Bench:
    """One registry, one engine, the ways that share them."""

    settings: Settings
    engine: Engine
    builder: Builder
    root: Path
    docker: str
    lines: list[str] = field(default_factory=list)

    async def mothership(self, app: str, repository: Path, commit: str, number: int) -> None:
        source = Source(app, commit, repository, build_id=f"{app}{number}")
        await self.builder.build(source, Output(self.lines.append))

    async def committed(self, app: str, repository: Path, commit: str, number: int) -> None:
        """The way of tools that run buildpacks in a container's own file system and commit it."""
        tag, name = f"{self.settings.registry}/committed-{app}:latest", f"{self.settings.instance}-committed"
        cache = self.root / f"cache-{app}"
        cache.mkdir(exist_ok=True)
        os.chown(cache, 1000, 1000)
        bundle = ("-v", f"{self.settings.ca_bundle}:{BUNDLE}:ro") if self.settings.ca_bundle else ()
        env = [word for key, value in self.environment(BUNDLE).items() for word in ("-e", f"{key}={value}")]
        pack = Path(app.partition("-")[0]).name
        archive = self.root / "source.tar"
        self.call("git", f"--git-dir={repository}", "archive", "-o", str(archive), commit)
        script = "mkdir -p /tmp/env && cp -R /pack /tmp/pack && cp /shared/* /tmp/pack/lib"
        script += " && cp -R /static /tmp/static && tar -x -C /app -f /source.tar"
        self.call("docker", "rm", "-f", name, check=False)
        self.call(
            *("docker", "create", "--name", name, "-u", "1000:1000", "-v", f"{cache}:/cache"),
            *(
                "-v",
                f"{HERE / pack}:/pack",
                "-v",
                f"{HERE / 'shared'}:/shared",
                "-v",
                f"{HERE / 'static'}:/static",
                "-v",
                f"{archive}:/source.tar:ro",
                *bundle,
                *env,
                build_image(self.settings.stack),
            ),
            *("bash", "-c", f"{script} && /tmp/pack/bin/compile /app /cache /tmp/env"),
        )
        self.call("docker", "start", "-a", name)
        self.call("docker", "commit", name, tag)
        self.call("docker", "push", "-q", tag)
        self.call("docker", "rm", name)

    async def dockerfile(self, app: str, repository: Path, commit: str, number: int, text: str) -> None:
        tag = f"{self.settings.registry}/buildkit-{app}:latest"
        with tempfile.TemporaryDirectory(dir=self.root) as folder:
            archive = subprocess.run(
                ("git", f"--git-dir={repository}", "archive", commit), stdout=subprocess.PIPE, check=True
            ).stdout
            subprocess.run(("tar", "-x", "-C", folder), input=archive, check=True)
            (Path(folder) / "Dockerfile").write_text(f"FROM {build_image(self.settings.stack)}\nWORKDIR /app\n{text}")
            secret = self.root / "env"
            secret.write_text(
                "".join(f"export {key}='{value}'\n" for key, value in self.environment("/run/secrets/ca").items())
            )
            bundle = ("--secret", f"id=ca,src={self.settings.ca_bundle}") if self.settings.ca_bundle else ()
            self.call(self.docker, "build", "-q", "-t", tag, "--secret", f"id=env,src={secret}", *bundle, folder)
        self.call("docker", "push", "-q", tag)

    def environment(self, bundle: str) -> dict[str, str]:
        names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "npm_config_cafile", "PIP_CERT")
        return {
            **self.settings.build_env,
            **(dict.fromkeys(names, bundle) if self.settings.ca_bundle else {}),
            "HOME": "/tmp",
        }

    def call(self, *argv: str, check: bool = True) -> None:
        environment = {**os.environ, "DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": str(self.known())}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
        if check and done.returncode:
            raise SystemExit(f"{' '.join(argv)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")

    def known(self) -> Path:
        """A folder by which the docker command is known to the registry (docker login, "Credential stores")."""
        login = credential(self.settings.data)
        word = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        folder = self.root / "docker"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"auths": {self.settings.registry: {"auth": word}}}))
        return folder

    def stored(self) -> int:
        return folder_size(self.settings.data / "registry")
