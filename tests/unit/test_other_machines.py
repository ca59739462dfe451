"""What reaches only this machine's processes says so of those on another one."""

from dataclasses import fields, replace
from typing import Any, cast

from mothership.commands.house import House
from mothership.errors import NotFound
from mothership.health import Check
from mothership.model import Image, Release
from mothership.releases.checks import ELSEWHERE, Examiner
from mothership.swarm.tasks import Task
from tests.unit import test_commands
from tests.unit.test_commands import call

house = test_commands.house
FACTS: dict[str, Any] = {
    "process": "web",
    "slot": 1,
    "release": 1,
    "state": "running",
    "wanted": "running",
    "node": "b",
}
TASK = Task(**({field.name: "" for field in fields(Task)} | FACTS))
RELEASE = Release("blog", 1, Image("blog", "sha256:1", "buildpack", {"web": "run"}), {}, {"web": 1})


class Swarm:
    """The engine of machine `a`, which has no container, and a cluster whose one task is on machine `b`."""

    async def node(self) -> str:
        return "a"

    async def exec(self, container: str, argv: tuple[str, ...]) -> Any:
        raise NotFound("No such container")

    async def all_tasks(self, app: str) -> list[Task]:
        return [TASK]


async def test_exec_says_that_a_process_is_on_another_machine(house: House) -> None:
    swarm = cast(Any, Swarm())
    house = replace(house, engine=swarm, cluster=swarm)
    ada = house.accounts.add_user("ada")
    house.apps.create("blog", ada)
    house.releases.make_current(house.releases.create(RELEASE))
    code, _, err = await call(house, ada, "exec blog web.1 -- ps")
    assert code == 1 and "web.1 runs on another machine" in err and "run blog COMMAND" in err


async def test_a_check_by_command_says_it_too_and_not_that_there_is_no_container() -> None:
    examiner, check = Examiner(cast(Any, Swarm()), cast(Any, None)), Check(command=("true",))
    assert await examiner.look(RELEASE, TASK, check) == ELSEWHERE
    assert "No such container" in await examiner.look(RELEASE, replace(TASK, node="a"), check)
