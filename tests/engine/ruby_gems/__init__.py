"""Gems for tests, without a host that has them: Debian's own, packed again, and tiny ones made here."""

import asyncio
import functools
import os
import subprocess
import tempfile
from pathlib import Path

from builder.stack.extras import tag
from builder.stack.image import ensure_extended
from mothership.config import Settings
from mothership.engine import Engine
from mothership.install.host import build_settings
from mothership.output import Output

HERE = Path(__file__).parent
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def debian_gems(target: Path, packages: str, names: str) -> None:
    """Pack gems that Debian's packages install, with all that they need, into a folder."""
    _in_container(target, packages, f"ruby /work/repack.rb /out {names}")


def source_index(target: Path) -> None:
    """Make a folder of gems a source, as static files."""
    _in_container(target, "", "ruby /work/index.rb /out")


def built_gem(target: Path, name: str, files: dict[str, str]) -> None:
    """Build a gem from its files, its gemspec among them, into a folder."""
    for path, text in files.items():
        (target / name / path).parent.mkdir(parents=True, exist_ok=True)
        (target / name / path).write_text(text)
    _in_container(target, "", f"cd /out/{name} && gem build {name}.gemspec && mv *.gem .. && rm -r /out/{name}")


@functools.cache
def locked(gemfile: str, gems: Path) -> str:
    """The Gemfile.lock that Bundler makes of a Gemfile and a folder of gems."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Gemfile").write_text(gemfile)
        script = "cd /out && mkdir vendor && cp -r /gems vendor/cache && BUNDLE_PATH=/tmp/bundle bundle install --local"
        _in_container(Path(folder), "", script, f"{gems}:/gems:ro")
        return (Path(folder) / "Gemfile.lock").read_text()


@functools.cache
def _image() -> str:
    """The build image with Debian's Ruby, made as a build that asks for it would make it."""
    with tempfile.TemporaryDirectory() as data:
        settings = Settings(data=Path(data), **build_settings())  # type: ignore[arg-type]
        asyncio.run(ensure_extended(settings, Engine(), ("ruby",), Output(print)))
        return f"mothership/stack-build:{tag(settings.stack, ('ruby',))}"


def _in_container(target: Path, packages: str, script: str, *binds: str) -> None:
    """Run a script as root where Debian's Ruby is, with `target` as /out."""
    install = f"apt-get -q update && apt-get -qy install --no-install-recommends {packages} &&" if packages else ""
    ours = f"chown -R {os.getuid()}:{os.getgid()} /out && chmod -R a+rX /out"
    full = f"{{ {install} {script} && {ours}; }} >/tmp/said 2>&1 || {{ tail -n 30 /tmp/said; exit 1; }}"
    mounts = [f"{HERE}:/work:ro", f"{target}:/out", f"{BUNDLE}:{BUNDLE}:ro", *binds]
    argv = ["docker", "run", "--rm", "--network=host", *(word for mount in mounts for word in ("-v", mount))]
    done = subprocess.run([*argv, _image(), "bash", "-c", full], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
