"""Security updates: the stack's images made anew from today's packages, and what changed by it."""

from builder.stack.extras import extended, known
from builder.stack.image import remade
from builder.stack.plan import EXTRAS_LABEL, plan, run_image
from mothership.config import Settings
from mothership.engine import ContainerSpec, Engine
from mothership.output import Output

LISTED = ("dpkg-query", "-W", "-f", "${Package} ${Version}\\n")


async def update(settings: Settings, engine: Engine, out: Output) -> dict[str, tuple[str, str]]:
    """Make every image of the stack that this engine has anew; the packages of the run images that changed, each
    with its versions before and after ("" for none). Where none did, the run images stay those that apps stand on.

    Raises BuildFailed, EngineUnavailable.
    """
    variants = await _variants(settings, engine)
    images = [*plan(settings.stack), *(image for names in variants for image in extended(settings.stack, names))]
    runs = [run_image(settings.stack), *(f"{run_image(settings.stack)}-{'-'.join(names)}" for names in variants)]
    before = {name: await _packages(settings, engine, name) for name in runs}
    ids = {name: (await engine.image(name))["Id"] for name in runs if before[name]}
    await remade(settings, engine, images, out)
    changed: dict[str, tuple[str, str]] = {}
    for name, old in before.items():
        new = await _packages(settings, engine, name)
        differ = {p: (old.get(p, ""), new.get(p, "")) for p in sorted({*old, *new}) if old.get(p) != new.get(p)}
        changed |= differ if old else {}
    if not changed:
        for name, image in ids.items():
            repository, _, version = name.partition(":")
            await engine.tag(image, repository, version)
    return changed


async def _variants(settings: Settings, engine: Engine) -> list[tuple[str, ...]]:
    """The combinations of extras that this engine has images of."""
    prefix = f"{run_image(settings.stack)}-"
    found = []
    for image in await engine.images({}):
        for name in image.get("RepoTags") or []:
            label = (image.get("Labels") or {}).get(EXTRAS_LABEL, "").split()
            if name.startswith(prefix) and label and set(label) <= set(known()):
                found.append(tuple(label))
    return sorted(set(found))


async def _packages(settings: Settings, engine: Engine, image: str) -> dict[str, str]:
    """The Debian packages of an image with their versions; none when there is no such image."""
    if not await engine.has_image(image):
        return {}
    spec = ContainerSpec(
        image=image,
        entrypoint=LISTED,
        labels={"mothership.instance": settings.instance, "mothership.role": "build"},
    )
    async with engine.container(spec) as container:
        stream = await engine.attach(container)
        try:
            await engine.start(container)
            lines = [line async for line in stream.lines()]
        finally:
            stream.close()
    return {name: version for name, _, version in (line.partition(" ") for line in lines)}
