"""The stack's images on a real engine."""

import asyncio
import struct
from pathlib import Path

import pytest

from builder.stack import ensure, launcher
from builder.stack.plan import INPUTS_LABEL, STACK_LABEL, build_image, plan, platform_image, run_image
from mothership.config import Settings
from mothership.engine import ContainerSpec, Engine
from mothership.output import Output

INTERPRETER = 3
"""PT_INTERP: the segment only dynamically linked programs have (elf(5))."""

TOOLS = """
set -e
export PATH=/opt/node/bin:$PATH
uv --version; node --version; npm --version; npx --version; corepack --version
cd /opt/node/lib/node_modules/npm/node_modules
node -e 'console.log(require("./semver").maxSatisfying(["22.1.0", "23.0.0"], "22.x"))'
/opt/caddy/caddy version
gcc --version | head -1; git --version; jq --version; rsync --version | head -1; pg_config --version
"""


@pytest.fixture
async def stack(tmp_path: Path) -> tuple[Settings, Engine]:
    settings = Settings(data=tmp_path, instance="test-stack")
    engine = Engine()
    await ensure(settings, engine, Output(print))
    return settings, engine


async def test_a_complete_stack_is_recognised_silently(stack: tuple[Settings, Engine]) -> None:
    settings, engine = stack
    lines: list[str] = []
    await ensure(settings, engine, Output(lines.append))
    assert lines == []


async def test_every_image_says_what_it_is_and_what_it_was_made_from(stack: tuple[Settings, Engine]) -> None:
    settings, engine = stack
    for image in plan(settings.stack)[1:]:
        labels = (await engine.image(image.name))["Config"]["Labels"]
        assert labels == {STACK_LABEL: settings.stack, INPUTS_LABEL: image.inputs}


async def test_a_missing_image_is_made_again_and_only_that_one(stack: tuple[Settings, Engine]) -> None:
    settings, engine = stack
    platform = plan(settings.stack)[3]
    before = {image.name: await _id(engine, image.name) for image in plan(settings.stack)[1:]}
    spare = Settings(data=settings.data, stack="test-spare")
    for image in plan(settings.stack)[1:3]:
        await engine.tag(image.name, *plan("test-spare")[plan(settings.stack).index(image)].name.split(":"))
    lines: list[str] = []
    try:
        await ensure(spare, engine, Output(lines.append))
        assert [line for line in lines if line.startswith("-----> ")] == [f"-----> Making the {platform.purpose}"]
        assert await engine.has_image(platform_image("test-spare"))
    finally:
        for image in reversed(plan("test-spare")):
            await engine.remove_image(image.name)
    assert before == {image.name: await _id(engine, image.name) for image in plan(settings.stack)[1:]}


async def test_the_run_image_has_a_user_and_a_locale_and_no_compiler_or_git(stack: tuple[Settings, Engine]) -> None:
    settings, engine = stack
    script = (
        "id -u; id -g; cd; pwd; touch mine; echo $LANG; python3 -c 'print(\"é\")'; command -v gcc git cc make; true"
    )
    code, lines = await _run(engine, run_image(settings.stack), script, user="app")
    assert (code, lines) == (0, ["1000", "1000", "/app", "C.UTF-8", "é"])


async def test_the_build_image_has_its_tools(stack: tuple[Settings, Engine]) -> None:
    settings, engine = stack
    code, lines = await _run(engine, build_image(settings.stack), TOOLS)
    assert code == 0, lines
    assert "22.1.0" in lines


async def test_nothing_of_the_hosts_certificates_or_settings_is_left_in_an_image(
    stack: tuple[Settings, Engine],
) -> None:
    settings, engine = stack
    script = "find /run/secrets /run/stack /run/launcher -type f; cat /etc/pip.conf /root/.npmrc"
    for name in (run_image, build_image, platform_image):
        assert await _run(engine, name(settings.stack), f"({script}) 2>/dev/null; true") == (0, [])


async def test_the_platform_image_has_the_proxy_and_the_registry(stack: tuple[Settings, Engine]) -> None:
    settings, engine = stack
    code, lines = await _run(engine, platform_image(settings.stack), "haproxy -v; docker-registry --version; socat -V")
    assert code == 0, lines
    assert lines[0].startswith("HAProxy version 3.")


async def test_the_launcher_is_static_and_copied_once(stack: tuple[Settings, Engine]) -> None:
    settings, engine = stack
    path = await launcher(settings, engine)
    assert path == settings.data / "stack" / "launcher"
    written = path.stat().st_mtime_ns
    assert (await launcher(settings, engine)).stat().st_mtime_ns == written
    child = await asyncio.create_subprocess_exec(str(path), "exec", "true")
    assert await child.wait() == 0
    assert INTERPRETER not in _segments(path.read_bytes())


async def test_the_launcher_is_copied_again_when_the_build_image_is_another(stack: tuple[Settings, Engine]) -> None:
    settings, engine = stack
    path = await launcher(settings, engine)
    path.write_text("old")
    path.with_name("launcher.image").write_text("sha256:another")
    assert (await launcher(settings, engine)).read_bytes()[:4] == b"\x7fELF"


async def _id(engine: Engine, name: str) -> str:
    return str((await engine.image(name))["Id"])


async def _run(engine: Engine, image: str, script: str, *, user: str = "") -> tuple[int, list[str]]:
    labels = {"mothership.instance": "test-stack"}
    spec = ContainerSpec(image=image, command=("sh", "-c", script), user=user, labels=labels, network="none")
    async with engine.container(spec) as container:
        await engine.start(container)
        return await engine.wait(container), await engine.logs(container, tail=1000)


def _segments(elf: bytes) -> list[int]:
    """The types of a 64-bit ELF file's segments."""
    (start,) = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    return [struct.unpack_from("<I", elf, start + size * index)[0] for index in range(count)]
