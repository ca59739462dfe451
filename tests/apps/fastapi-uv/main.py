from importlib.util import find_spec

from fastapi import FastAPI

app = FastAPI()


@app.get("/places/{place}")
def weather(place: str, days: int = 1) -> dict[str, object]:
    return {"place": place, "days": days, "development": find_spec("iniconfig") is not None}
