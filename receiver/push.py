"""One push, from its first byte to receive-pack's exit: upward the pack, downward the lines and the report."""

import asyncio
from asyncio.subprocess import Process
from pathlib import Path

from mothership.doors import Pushes
from mothership.errors import Conflict, MothershipError
from mothership.log import logger
from mothership.model import Push, RefUpdate
from mothership.output import Output
from receiver import child, failure, refs
from receiver.gate import Gate, Question
from receiver.output import Outbox, remote_lines
from receiver.reply import Reply
from receiver.request import Request
from receiver.wire import Call, Wire


class Reception:
    """The push of one client over one receive-pack. The daemon's verdict is the only one.

    `limit` is the most MiB that git lets a pack have.
    """

    def __init__(
        self, call: Call, repository: Path, wire: Wire, git: Process, gate: Gate, pushes: Pushes, *, limit: int
    ) -> None:
        self._call = call
        self._repository = repository
        self._wire = wire
        self._git = git
        self._gate = gate
        self._pushes = pushes
        self._limit = limit
        self._too_large = False
        self._request = Request()
        self._reply = Reply(self._request, advertised=call.stateless)
        self._outbox = Outbox(wire.send, self._frame, self._give_up)
        self._downward = asyncio.create_task(self._carry_down())
        self._decision = asyncio.create_task(self._decide())
        self._answered = False

    async def run(self) -> None:
        """Carry the conversation until receive-pack has ended. Raises ConnectionError when the client vanished."""
        async with child.background(self._carry_up()), child.background(self._outbox.pump()):
            try:
                await asyncio.wait({self._decision})
                await asyncio.wait({self._downward})
                await self._outbox.drain()
            finally:
                await child.unhurried(_stop(self._decision))
                await child.unhurried(_stop(self._downward))
        if self._request.empty and not self._git.returncode:
            self._pushes.nothing_new(self._call.app, Output(self._complain))
        if self._outbox.dead:
            raise ConnectionResetError("the client vanished during its push")

    async def _carry_up(self) -> None:
        """The client's commands and its pack, to receive-pack. Raises Invalid."""
        assert self._git.stdin
        try:
            while data := await self._wire.read(child.CHUNK):
                self._request.watch(data)
                self._mention_the_limit()
                self._git.stdin.write(data)
                await self._git.stdin.drain()
        except ConnectionError:
            pass  # either end has gone; receive-pack, if it is still there, sees its input end early
        finally:
            self._git.stdin.close()

    def _mention_the_limit(self) -> None:
        """Git refuses a pack that is too large by itself, but says neither how large it may be nor what to do."""
        if self._too_large or self._request.pack_size <= self._limit << 20:
            return
        self._too_large = True
        out = Output(self._outbox.say)
        out.error(f"This push is larger than {self._limit} MiB, the most that this server takes.")
        out.error("Leave large files out of the repository, or ask an admin to raise max_input_size.")

    async def _carry_down(self) -> None:
        """What receive-pack says, to the client; ends after receive-pack has exited."""
        assert self._git.stdout
        while data := await self._git.stdout.read(child.CHUNK):
            await self._outbox.put(self._reply.feed(data), patient=not self._reply.advertised)
        await self._outbox.put(self._reply.close(), patient=False)
        await self._git.wait()

    async def _decide(self) -> None:
        """Answer the hook's question, if it comes to that."""
        try:
            if question := await self._gate.question():
                await self._perform(question)
        except Exception as error:
            self._refuse(failure.explained(error, "push"))
        finally:
            if not self._answered:
                self._answer("no")

    async def _perform(self, question: Question) -> None:
        """Do what the push means, and let the refs move. Raises MothershipError instead."""
        await refs.check(self._repository, question)
        call = self._call
        push = Push(call.app, call.user, question.updates, question.options, question.quarantine, call.remote)
        async with self._pushes.receive(push, Output(self._outbox.say)):
            self._answer("ok")
            await _regardless(self._downward)
            self._insist(question.updates)

    def _answer(self, verdict: str) -> None:
        self._answered = True
        self._gate.answer(verdict)

    def _insist(self, updates: tuple[RefUpdate, ...]) -> None:
        """Make sure that git has moved the refs after our consent. Raises Conflict."""
        lost = [f"{u.ref} ({self._reply.outcomes[u.ref]})" for u in updates if self._reply.outcomes.get(u.ref)]
        if lost or self._git.returncode:
            raise Conflict(f"git did not move {', '.join(lost)}" if lost else f"git ended with {self._git.returncode}")

    def _refuse(self, error: MothershipError) -> None:
        if self._answered:
            logger().error("accepted push failed", app=self._call.app, error=error.message)
            return
        failure.tell(Output(self._outbox.say), error)
        self._reply.reason = error.reason
        self._answer("no")

    def _give_up(self) -> None:
        self._decision.cancel()

    def _complain(self, line: str) -> None:
        self._wire.complain(line.encode(errors="replace") + b"\n")

    def _frame(self, line: str) -> bytes:
        """A line of ours on its way: in band 2 where the client reads it, else beside git's conversation."""
        if not self._request.side_band:
            self._complain(line)
            return b""
        if self._reply.finished:
            return b""
        if self._reply.mid_line:
            self._reply.mid_line = False
            line = "\n" + line
        return remote_lines(line)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def _regardless(task: asyncio.Task[None]) -> None:
    """Wait for a task whatever becomes of ourselves: an accepted push is accepted, client or no client."""
    me = asyncio.current_task()
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if me:
                me.uncancel()
