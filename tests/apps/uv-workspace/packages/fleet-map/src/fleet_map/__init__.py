import os

import bottle


@bottle.get("/")
def home() -> str:
    return "a member of the workspace"


def serve() -> None:
    bottle.run(host="0.0.0.0", port=int(os.environ["PORT"]))
