"""A small builder image of Cloud Native Buildpacks, made on this machine: the real lifecycle, two buildpacks of bash.

The lifecycle is a Go module. What was made is kept on the engine by the hash of what it is made from.
"""

import hashlib
import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from mothership.config import Settings

SOURCE = Path(__file__).parent / "cnb"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
METADATA = {
    "buildpacks": [{"id": "example/words", "version": "1.0.0"}, {"id": "example/web", "version": "1.0.0"}],
    "images": [{"image": "mothership/stack-run:{stack}"}],
    "lifecycle": {"version": "0.20.5", "apis": {"platform": {"supported": ["0.12", "0.13"], "deprecated": []}}},
}


def builder_image(settings: Settings) -> str:
    """The image's name."""
    stack = f"mothership/stack-build:{settings.stack}"
    name = f"mothership-test/cnb-builder:{_hash(_files(SOURCE), _id(stack), json.dumps(METADATA))}"
    if not _id(name):
        metadata = json.dumps(METADATA).replace("{stack}", settings.stack)
        arguments = {"LIFECYCLE": _lifecycle(settings), "STACK": settings.stack, "METADATA": metadata}
        words = [word for pair in arguments.items() for word in ("--build-arg", "=".join(pair))]
        _run("docker", "build", "--quiet", "--tag", name, *words, str(SOURCE))
    return name


def _lifecycle(settings: Settings) -> str:
    """An image of nothing but the lifecycle."""
    name = f"mothership-test/lifecycle:{_hash(_files(SOURCE / 'lifecycle'))}"
    if not _id(name):
        with TemporaryDirectory() as folder:
            out = Path(folder) / "cnb" / "lifecycle"
            out.mkdir(parents=True)
            mounts = [f"{SOURCE / 'lifecycle'}:/src:ro", f"{out}:/out"]
            environment = dict(settings.build_env)
            if settings.ca_bundle:
                mounts.append(f"{settings.ca_bundle}:{BUNDLE}:ro")
                environment |= {"SSL_CERT_FILE": BUNDLE}
            words = [word for mount in mounts for word in ("--volume", mount)]
            words += [word for pair in environment.items() for word in ("--env", "=".join(pair))]
            _run("docker", "run", "--rm", *words, f"mothership/stack-build:{settings.stack}", "bash", "/src/build.sh")
            tar = Path(folder) / "lifecycle.tar"
            _run("tar", "--create", "--file", str(tar), "--owner=0", "--group=0", "--directory", folder, "cnb")
            _run("docker", "import", str(tar), name)
    return name


def _id(image: str) -> str:
    argv = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _files(folder: Path) -> bytes:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"".join(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() for path in paths)


def _hash(*parts: bytes | str) -> str:
    return hashlib.sha256(b"\0".join(p if isinstance(p, bytes) else p.encode() for p in parts)).hexdigest()[:12]
