"""A container that is to run for good: made when it is missing, replaced when it was made to another plan."""

import hashlib
import json
from dataclasses import replace

from mothership.engine.client import Engine
from mothership.engine.container import ContainerSpec
from mothership.errors import Conflict, NotFound

SPEC = "mothership.spec"
"""The label that says to which plan a container was made."""


async def ensure(engine: Engine, name: str, wanted: ContainerSpec) -> bool:
    """Make a container run as it should; whether it had to be made or started."""
    mark = hashlib.sha256(json.dumps(wanted.body(), sort_keys=True).encode()).hexdigest()
    try:
        found = await engine.inspect(name)
        if found["Config"]["Labels"].get(SPEC) == mark:
            if found["State"]["Running"]:
                return False
            await engine.start(found["Id"])
            return True
        await engine.remove(found["Id"])
    except NotFound:
        pass
    try:
        made = await engine.create(replace(wanted, labels={**wanted.labels, SPEC: mark}), name)
    except Conflict:
        return False
    await engine.start(made)
    return True
