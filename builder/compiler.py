"""A commit in the app's workspace, compiled by its buildpacks; or as the last build left it, where they needn't run."""

import time
from dataclasses import replace
from pathlib import Path

from builder.buildpack import Buildpacks, Compiled
from builder.choose import Choice
from builder.commit import Root
from builder.layers import Layers
from builder.memory import Last, Memory, key
from builder.source import Source
from builder.stack import tag
from builder.stack.plan import build_image, run_image
from builder.thread import in_thread
from builder.tree import Entry, read_tree, slugignore
from builder.workspace import Workspace
from mothership.config import Settings
from mothership.engine import Engine
from mothership.errors import NotFound
from mothership.output import Output

Tree = dict[str, Entry]


class Compiler:
    """Brings workspaces to what commits say. The caller holds the app's lock."""

    def __init__(self, settings: Settings, engine: Engine, buildpacks: Buildpacks) -> None:
        self._settings = settings
        self._engine = engine
        self._buildpacks = buildpacks

    async def compiled(self, source: Source, root: Root, choice: Choice, place: Path, out: Output) -> Compiled:
        """Leave the app as its image will have it, and say how it runs. Raises BuildFailed and what builds raise.

        The same tree again is built in full: who asks for that means it.
        """
        workspace, memory = Workspace(place), Memory(place)
        ignore = slugignore(root.files.get(".slugignore", b""))
        tree = await in_thread(read_tree, source, ignore)
        decided = await self._decided(source, choice, workspace.extras)
        last = memory.recall(decided) if decided and not source.no_cache else None
        changes = await in_thread(workspace.changes, tree) if last else None
        if last and changes and not last.read.any_of(changes) and not changes.meet(last.made):
            out.step("Build steps skipped: none of them reads what has changed")
            out.detail("To run them all the same: git push -o no-cache")
            await in_thread(workspace.sync, source, tree, last.made)
            return Compiled(last.processes, last.config, last.used, last.extras, last.reads)
        memory.forget()
        Layers(place).unsettle()
        said = await self._run(source, choice, workspace, tree, out)
        if decided := await self._decided(source, choice, said.extras):
            made = await in_thread(workspace.made, tree)
            memory.keep(
                Last(decided, time.time(), said.reads, made, said.processes, said.config, said.used, said.extras)
            )
        return said

    async def _run(self, source: Source, choice: Choice, workspace: Workspace, tree: Tree, out: Output) -> Compiled:
        await in_thread(workspace.sync, source, tree)
        with workspace.building():
            said = await self._buildpacks.compile(source, choice, workspace.app, out, workspace.extras)
        workspace.extras = said.extras
        if workspace.changes_hands(said.used) and not source.no_cache:
            out.step("Other buildpacks than last time: building from scratch")
            return await self._run(replace(source, no_cache=True), choice, workspace, tree, out)
        return said

    async def _decided(self, source: Source, choice: Choice, extras: tuple[str, ...]) -> str:
        """A hash of all that decides a build beside the commit; "" when it may be anything."""
        if any(pack.kind != "own" for pack in choice.buildpacks):
            return ""
        settings = self._settings
        try:
            name = tag(settings.stack, extras)
            images = [(await self._engine.image(image(name)))["Id"] for image in (build_image, run_image)]
        except NotFound:
            return ""
        packs = [(pack.label, pack.key) for pack in choice.buildpacks]
        host = (settings.build_env, settings.mirrors, settings.ca_bundle)
        return key(choice.detect, choice.declares, packs, dict(source.config), source.folder, images, host)
