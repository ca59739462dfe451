"""The example app, pushed with the real git client by the person who ran scripts/up."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from mothership.config import Settings
from mothership.errors import ReleaseFailed
from mothership.output import Output

APP = "python-flask"
IDENTITY = ("-c", "user.name=Mothership", "-c", "user.email=mothership@localhost", "-c", "commit.gpgsign=false")


async def deploy(settings: Settings, examples: Path, key: Path, out: Output) -> None:
    """Push the example unless the same tree serves already. Raises ReleaseFailed with what git printed."""
    with tempfile.TemporaryDirectory(prefix="mothership-demo-") as root:
        folder = Path(root) / APP
        shutil.copytree(examples / APP, folder)
        _git(folder, "init", "--quiet", "--initial-branch=main")
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "--message", "The Flask example", when="2026-01-01T00:00:00Z")
        head = _git(folder, "rev-parse", "HEAD").strip()
        if _deployed(settings) != head:
            await _push(settings, folder, key, out)
    if not await _eventually_answers(settings):
        raise ReleaseFailed(
            f"The example was pushed and does not answer at {settings.app_url(APP)}.",
            "See: mothership logs -a python-flask",
        )


async def _eventually_answers(settings: Settings) -> bool:
    """After a restart apps take as long as they take to boot."""
    deadline = asyncio.get_running_loop().time() + settings.boot_timeout
    while not await asyncio.to_thread(answers, settings):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.2)
    return True


def answers(settings: Settings) -> bool:
    """Whether the example answers through the proxy."""
    address = settings.http_bind or "127.0.0.1"
    request = urllib.request.Request(f"http://{address}:{settings.http_port}/")
    request.add_header("Host", f"{APP}.{settings.domain}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


async def _push(settings: Settings, folder: Path, key: Path, out: Output) -> None:
    known = settings.data / "run" / "known_hosts"
    host = (settings.data / "ssh" / "host_ed25519.pub").read_text().split()[:2]
    known.write_text(f"[127.0.0.1]:{settings.ssh_port} {' '.join(host)}\n")
    ssh = ["ssh", "-F", "/dev/null", "-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes"]
    ssh += ["-i", str(key.with_suffix(""))]
    child = await asyncio.create_subprocess_exec(
        *("git", "push", "--force", f"ssh://mothership@127.0.0.1:{settings.ssh_port}/{APP}", "main"),
        cwd=folder,
        env={**os.environ, "GIT_SSH_COMMAND": " ".join(ssh)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert child.stdout
    lines = []
    async for data in child.stdout:
        line = data.decode(errors="replace").rstrip()
        lines.append(line)
        out.raw(line.removeprefix("remote: ").rstrip())
    if await child.wait():
        raise ReleaseFailed("The example could not be pushed:\n" + "\n".join(lines[-20:]))


def _deployed(settings: Settings) -> str:
    repository = settings.data / "repos" / f"{APP}.git"
    argv = ["git", "-c", "safe.directory=*", f"--git-dir={repository}", "rev-parse", "--quiet", "--verify"]
    done = subprocess.run([*argv, "refs/heads/main"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _git(folder: Path, *words: str, when: str = "") -> str:
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when} if when else {}
    done = subprocess.run(
        ["git", *IDENTITY, *words], cwd=folder, env={**os.environ, **dates}, capture_output=True, text=True, check=True
    )
    return done.stdout
