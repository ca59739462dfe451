"""What the engine's face says of images, against a real engine."""

import subprocess
from pathlib import Path

from mothership.engine import Engine

LABEL = "mothership-test.images"


def built(folder: Path, text: str) -> None:
    (folder / "Dockerfile").write_text(f"FROM scratch\nLABEL {LABEL}={text}\n")
    subprocess.run(["docker", "build", "-q", "-t", "mothership-test/images:1", folder], check=True, capture_output=True)


async def test_an_image_whose_name_has_moved_on_has_none(tmp_path: Path) -> None:
    engine = Engine()
    built(tmp_path, "one")
    built(tmp_path, "two")
    found = await engine.images({LABEL: ""})
    try:
        assert sorted(tag for image in found for tag in image["RepoTags"]) == ["mothership-test/images:1"]
        assert len(found) == 2
    finally:
        for image in found:
            await engine.remove_image(image["Id"], force=True)
