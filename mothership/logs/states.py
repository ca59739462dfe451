"""What becomes of an app's processes, as lines of the platform's own: started, up, crashed, ended."""

from collections.abc import Iterable

from mothership.logs.journal import Journal
from mothership.logs.line import engine_time, stored
from mothership.swarm.tasks import STARTING, Task


class States:
    """Says each change of a task's state once, also across restarts of the daemon: by the state's own time."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    async def see(self, journal: Journal, tasks: Iterable[Task]) -> None:
        """Compare one app's tasks with what has been said of them. Raises OSError."""
        for task in tasks:
            text = words(task)
            if not text or not task.since:
                continue
            whose = f"{task.id[:12]:<12}t"
            at = engine_time(task.since)
            if whose not in self._said:
                self._said[whose] = (await journal.cursor(whose))[0]
            if at > self._said[whose]:
                self._said[whose] = at
                journal.put(stored(at, whose, f"mothership[{task.process}.{task.slot}]", text))

    def keep(self, ids: Iterable[str]) -> None:
        """Forget all tasks but these."""
        wanted = {f"{id[:12]:<12}t" for id in ids}
        self._said = {whose: at for whose, at in self._said.items() if whose in wanted}


def words(task: Task) -> str:
    """What a task's state means for its process, "" while it is on its way to one that is worth a line."""
    if task.state in ("starting", "running"):
        return "State changed from starting to up" if task.state == "running" else "Starting process"
    if task.state in STARTING:
        return ""
    if task.state in ("failed", "complete"):
        return f"Process exited with status {task.exit_code}; state changed to crashed"
    if task.state == "rejected":
        return f"Process could not be started: {task.error or 'rejected'}"
    return "Process stopped; state changed to down"
