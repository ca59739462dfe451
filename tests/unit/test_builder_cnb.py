"""Cloud Native Buildpacks without an engine: project.toml, what builder images say, and images as folders."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.cnb import chosen
from builder.cnb_builder import described
from builder.cnb_layout import Exported, prune, read_exported, write_sparse
from builder.cnb_project import Project, parse, reference
from builder.commit import Root
from builder.source import Source
from mothership.errors import BuildFailed, Invalid

LABEL = {
    "images": [{"image": "example/run"}],
    "lifecycle": {"apis": {"platform": {"supported": ["0.7", "0.12", "0.13"], "deprecated": None}}},
}
ENV = ["PATH=/bin", "CNB_USER_ID=1001", "CNB_GROUP_ID=1000"]


def inspected(label: Any = LABEL, env: list[str] = ENV) -> dict[str, Any]:
    return {"Config": {"Env": env, "Labels": {"io.buildpacks.builder.metadata": json.dumps(label)}}}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("heroku/builder:24", "heroku/builder:24"),
        ("paketobuildpacks/builder-jammy-base", "paketobuildpacks/builder-jammy-base:latest"),
        ("registry.example.com:5000/b", "registry.example.com:5000/b:latest"),
        ("a/b@sha256:" + "0" * 64, "a/b@sha256:" + "0" * 64),
        ("deadbeef", "deadbeef:latest"),
    ],
)
def test_a_builder_is_named_and_never_meant_by_an_id(text: str, name: str) -> None:
    assert reference(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-x", "a b", "$(id)", "../x", "a//b", "sha256:" + "0" * 64, "localhost/x", "localhost:7878/x",
        "127.0.0.1:7878/x", "127.1:7878/x", "[::1]:7878/x", "mothership-build/other:1", "x" * 400, "a/b@sha256:12",
    ],
)  # fmt: skip
def test_what_is_no_builders_name_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        reference(text)


def test_project_toml_is_read_in_both_its_versions() -> None:
    older = (
        b'[build]\nbuilder="a/b:1"\n[[build.buildpacks]]\nid="x/y"\nversion="1.2"\n[[build.env]]\nname="A"\nvalue="1"\n'
    )
    newer = older.replace(b"build.", b"io.buildpacks.").replace(b"[build]", b"[io.buildpacks]")
    newer = newer.replace(b"io.buildpacks.buildpacks", b"io.buildpacks.group")
    newer = newer.replace(b"io.buildpacks.env", b"io.buildpacks.build.env")
    assert parse(older) == parse(newer) == Project("a/b:1", (("x/y", "1.2"),), {"A": "1"})
    assert parse(newer).order(str) == '[[order]]\n[[order.group]]\nid = "x/y"\nversion = "1.2"\n'
    assert parse(b"") == Project() and parse(b'[project]\nname = "x"') == Project()


@pytest.mark.parametrize(
    "data",
    [
        b"[", b"\xff", b'io = "x"', b'[io]\nbuildpacks = 7', b'[io.buildpacks]\ngroup = "x"',
        b'[[io.buildpacks.group]]\nuri = "https://example.com/x.tgz"', b'[[io.buildpacks.group]]\nid = "a\\"b"',
        b'[io.buildpacks]\nbuilder = "127.0.0.1:1/x"', b"[io.buildpacks]\nbuilder = [1]",
        b'[[io.buildpacks.build.env]]\nname = "A"', b'[[io.buildpacks.build.env]]\nname = "../A"\nvalue = "x"',
        b"a = " + b"[" * 100_000, b'[[io.buildpacks.build.env]]\nname = "A"\nvalue = "\\u0000"',
    ],
)  # fmt: skip
def test_a_project_toml_that_is_wrong_is_told(data: bytes) -> None:
    with pytest.raises(Invalid):
        parse(data)


def test_the_apps_setting_decides_then_project_toml_unless_there_are_buildpacks() -> None:
    said = Root(0, ("project.toml",), {"project.toml": b'[io.buildpacks]\nbuilder="a/b:1"'})
    none = Root(0, (), {})

    def source(**given: Any) -> Source:
        return Source("blog", "c" * 40, Path("/nowhere"), **given)

    assert chosen(source(), none) is None
    assert chosen(source(), said) == Project("a/b:1")
    assert chosen(source(buildpacks=("heroku/python",)), said) is None
    assert chosen(source(builder="c/d:2", buildpacks=("heroku/python",)), said) == Project("c/d:2")


def test_what_a_builder_image_says_of_itself_is_read() -> None:
    made = described("b:1", inspected())
    assert (made.uid, made.gid, made.run_image, made.api) == (1001, 1000, "example/run:latest", "0.13")
    with pytest.raises(BuildFailed, match="has no buildpack x/y"):
        Project("b:1", (("x/y", ""),)).order(made.version)
    several = [{"id": "x/y", "version": version} for version in ("1.0", "2.0")]
    newest = described("b:1", inspected({**LABEL, "buildpacks": several}))
    assert 'version = "2.0"' in Project("b:1", (("x/y", ""),)).order(newest.version)
    older = {**LABEL, "images": None, "stack": {"runImage": {"image": "example/old:1"}}}
    assert described("b:1", inspected(older)).run_image == "example/old:1"


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ({"Config": {}}, "missing or malformed"),
        (inspected([]), "missing or malformed"),
        (inspected({}), "missing or malformed"),
        (inspected(env=["CNB_USER_ID=x", "CNB_GROUP_ID=1"]), "missing or malformed"),
        (inspected(env=["CNB_USER_ID=0", "CNB_GROUP_ID=0"]), "as root"),
        (inspected({**LABEL, "images": [{"image": "127.0.0.1:7878/blog"}]}), "run image"),
        (inspected({**LABEL, "lifecycle": {"apis": {"platform": {"supported": ["0.7"]}}}}), "too old"),
    ],
)
def test_an_image_that_is_no_builder_is_told(image: dict[str, Any], said: str) -> None:
    with pytest.raises(BuildFailed, match=said):
        described("b:1", image)


# images as folders

RUN_LAYER, NEW = "sha256:" + "1" * 64, b"a new layer"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A layout as a lifecycle leaves it: a layer of the run image, which isn't here, and one of its own."""
    place = (tmp_path / "layout").resolve()
    new = f"sha256:{hashlib.sha256(NEW).hexdigest()}"
    layers = [{"digest": RUN_LAYER, "size": 5}, {"digest": new, "size": len(NEW)}]
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"diff_ids": [RUN_LAYER, new]}}
    write_sparse(place, {"layers": layers}, config)
    (place / "blobs" / "sha256" / new[7:]).write_bytes(NEW)
    (place / "blobs" / "sha256" / ("2" * 64)).write_bytes(b"of an earlier image")
    return place


def test_an_exported_image_is_read_and_its_predecessors_are_removed(folder: Path) -> None:
    found = read_exported(folder)
    assert isinstance(found, Exported)
    assert [layer["digest"] for layer in found.manifest["layers"]][0] == RUN_LAYER
    assert [path.read_bytes() for path in found.blobs.values()] == [NEW]
    prune(folder, found)
    assert read_exported(folder) == found
    assert not (folder / "blobs" / "sha256" / ("2" * 64)).exists()


def rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    index = json.loads((folder / "index.json").read_text())
    manifest = folder / "blobs" / "sha256" / index["manifests"][0]["digest"][7:]
    said = json.loads(manifest.read_text())
    change(said)
    manifest.write_text(json.dumps(said))


@pytest.mark.parametrize(
    "tamper",
    [
        lambda place: (place / "index.json").unlink(),
        lambda place: (place / "index.json").write_text("[]"),
        lambda place: (place / "index.json").write_text('{"manifests": [{"digest": "sha256:../../../etc/passwd"}]}'),
        lambda place: ((place / "index.json").unlink(), (place / "index.json").symlink_to("/etc/hostname")),
        lambda place: ((place / "blobs").rename(place / "b"), (place / "blobs").symlink_to(place / "b")),
        lambda place: rewritten(place, lambda said: said["layers"].pop()),
        lambda place: rewritten(place, lambda said: said["layers"][0].update(digest="sha256:x")),
        lambda place: rewritten(place, lambda said: said.update(config={})),
        lambda place: rewritten(place, lambda said: said.update(layers=7)),
    ],
)
def test_an_image_that_was_tampered_with_is_told(folder: Path, tamper: Callable[[Path], object]) -> None:
    tamper(folder)
    with pytest.raises(BuildFailed, match="no usable image"):
        read_exported(folder)


def test_a_layer_that_is_a_link_is_not_there(folder: Path) -> None:
    new = next(iter(read_exported(folder).blobs.values()))
    new.unlink()
    new.symlink_to("/etc/hostname")
    assert read_exported(folder).blobs == {}
