"""One push or fetch is one native git child: spawned here, connected to its client, seen off."""

from asyncio.subprocess import Process
from pathlib import Path

from mothership.config import Settings
from mothership.doors import Pushes
from receiver import child, gate
from receiver.push import Reception
from receiver.wire import Call, Wire


class Packs:
    """Git's two services over an installation's repositories, whichever door a client came through."""

    def __init__(self, settings: Settings, pushes: Pushes) -> None:
        self._settings = settings
        self._pushes = pushes
        self._hooks = gate.install(settings.data / "hooks")

    async def repository(self, call: Call) -> Path:
        """The repository that is asked for. Raises MothershipError."""
        return await self._pushes.repository(call.app, call.user, write=call.service == child.RECEIVE)

    async def serve(self, call: Call, repository: Path, wire: Wire) -> int:
        """Carry one conversation to its end; git's exit status. Raises Invalid; ConnectionError for a lost client."""
        if call.service == child.RECEIVE and not call.advertise:
            return await self._push(call, repository, wire)
        return await self._fetch(call, repository, wire)

    async def _push(self, call: Call, repository: Path, wire: Wire) -> int:
        config = child.receive_config(self._settings, self._hooks, repository)
        command = child.argv(call.service, repository, config, *call.flags)
        async with gate.opened() as (ours, theirs):
            number = theirs.fileno()
            env = child.environment(call.protocol, **{gate.VARIABLE: str(number)})
            async with child.spawned(command, env, wire.complain, inherit=[number]) as git:
                theirs.close()
                limit = self._settings.max_input_size
                await Reception(call, repository, wire, git, ours, self._pushes, limit=limit).run()
        return git.returncode or 0

    async def _fetch(self, call: Call, repository: Path, wire: Wire) -> int:
        """Also the advertisement of a push over HTTP, which is a conversation without questions."""
        config = child.upload_config(repository)
        if call.service == child.RECEIVE:
            config = child.receive_config(self._settings, self._hooks, repository)
        command = child.argv(call.service, repository, config, *call.flags)
        env = child.environment(call.protocol)
        async with child.spawned(command, env, wire.complain) as git, child.background(_carry_up(wire, git)):
            await _carry_down(git, wire)
        return git.returncode or 0


async def _carry_up(wire: Wire, git: Process) -> None:
    assert git.stdin
    try:
        while data := await wire.read(child.CHUNK):
            git.stdin.write(data)
            await git.stdin.drain()
    except ConnectionError:
        pass  # git has ended, or sees its input end early and then does
    finally:
        git.stdin.close()


async def _carry_down(git: Process, wire: Wire) -> None:
    assert git.stdout
    while data := await git.stdout.read(child.CHUNK):
        await wire.send(data)
