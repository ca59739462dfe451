import os

import bottle


@bottle.get("/")
def quote() -> str:
    return f"Quoted by Bottle {bottle.__version__[:4]}"


bottle.run(host="0.0.0.0", port=int(os.environ["PORT"]))
