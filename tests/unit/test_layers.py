"""Layers of a workspace: the same files make the same bytes, and what nobody touched is not cut again."""

import os
import tarfile
from pathlib import Path

import pytest

from builder.layers import Cut, Layers, census, write_single
from mothership.errors import BuildFailed

FILES = {
    "app.py": "print('hello')",
    "vendor/bundle/gem.rb": "gem",
    "vendor/ruby-3.3/bin/ruby": "ruby",
    ".heroku/python/bin/python": "python",
    ".heroku/python/lib/python3.13/os.py": "os",
    ".heroku/python/lib/python3.13/site-packages/django.py": "django",
    ".heroku/file": "an app's own",
    "packages/a/node_modules/x/index.js": "x",
    "packages/a/index.js": "a",
    "node_modules/express/index.js": "express",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        write(tmp_path, name, text)
    return tmp_path


def write(place: Path, name: str, text: str) -> None:
    path = place / "app" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def names(cut: Cut) -> list[str]:
    assert cut.tar
    with tarfile.open(cut.tar) as tar:
        return [member.name.removeprefix("app/") for member in tar if member.isfile()]


def kept(layers: Layers, time: int = 1) -> list[Cut]:
    """The layers after a build has worked there."""
    layers.unsettle()
    cuts = layers.cut(time)
    layers.keep(cuts)
    return cuts


def fresh(cuts: list[Cut]) -> list[str]:
    return [cut.part for cut in cuts if cut.tar]


def test_each_file_is_in_the_layer_of_its_part(place: Path) -> None:
    found = {cut.part: names(cut) for cut in Layers(place).cut(1)}
    assert found == {
        "runtime": [".heroku/python/lib/python3.13/os.py", "vendor/ruby-3.3/bin/ruby"],
        "dependencies": [
            ".heroku/python/bin/python",
            ".heroku/python/lib/python3.13/site-packages/django.py",
            "node_modules/express/index.js",
            "packages/a/node_modules/x/index.js",
            "vendor/bundle/gem.rb",
        ],
        "app": [".heroku/file", "app.py", "packages/a/index.js"],
    }


def test_a_changed_source_file_leaves_the_other_layers_as_they_were(place: Path) -> None:
    layers = Layers(place)
    before = kept(layers)
    write(place, "app.py", "print('bye')")
    after = kept(layers)
    assert fresh(after) == ["app"]
    assert [cut.blob for cut in after[:2]] == [cut.blob for cut in before[:2]]
    assert fresh(kept(layers)) == []


@pytest.mark.parametrize(
    ("name", "layer"),
    [("vendor/ruby-3.3/bin/ruby", "runtime"), ("packages/a/node_modules/x/index.js", "dependencies")],
)
def test_a_changed_file_of_a_lower_layer_has_that_one_cut_again(place: Path, name: str, layer: str) -> None:
    layers = Layers(place)
    kept(layers)
    write(place, name, "other")
    assert fresh(kept(layers)) == [layer]


def test_a_change_that_keeps_size_and_times_is_seen(place: Path) -> None:
    layers = Layers(place)
    kept(layers)
    path = place / "app/node_modules/express/index.js"
    status = path.stat()
    path.write_text("EXPRESS")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert fresh(kept(layers)) == ["dependencies"]


def test_what_is_removed_or_added_below_is_seen(place: Path) -> None:
    layers = Layers(place)
    kept(layers)
    (place / "app/vendor/bundle/gem.rb").unlink()
    assert fresh(kept(layers)) == ["dependencies"]
    (place / "app/node_modules/empty").mkdir()
    assert fresh(kept(layers)) == ["dependencies"]
    write(place, "other/node_modules/y.js", "y")
    assert fresh(kept(layers)) == ["dependencies", "app"]


def test_where_no_build_worked_only_the_apps_own_files_are_looked_at(place: Path) -> None:
    layers = Layers(place)
    before = kept(layers)
    write(place, "node_modules/express/index.js", "other")
    write(place, "app.py", "print('bye')")
    after = layers.cut(1)
    assert fresh(after) == ["app"] and [cut.blob for cut in after[:2]] == [cut.blob for cut in before[:2]]


def test_layers_that_were_not_kept_are_cut_again(place: Path) -> None:
    layers = Layers(place)
    kept(layers)
    write(place, "node_modules/express/index.js", "other")
    layers.unsettle()
    layers.cut(1)
    layers.sweep()
    assert fresh(layers.cut(1)) == ["dependencies"]
    layers.forget()
    assert fresh(layers.cut(1)) == ["runtime", "dependencies", "app"]


def test_the_same_files_elsewhere_make_the_same_layers(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    for name, text in reversed(FILES.items()):
        write(other, name, text)
    assert [cut.blob for cut in Layers(place).cut(7)] == [cut.blob for cut in Layers(other).cut(7)]


def test_strange_names_and_links_are_taken_as_they_are(tmp_path: Path) -> None:
    for name in ("node_modules/a\nb", "node_modules/-x", "node_modules/\udcff", "-node_modules/node_modules/z"):
        write(tmp_path, name, name[:2])
    (tmp_path / "app/node_modules/link").symlink_to("/etc")
    (tmp_path / "app/vendor").symlink_to("node_modules")
    layers = Layers(tmp_path)
    assert fresh(kept(layers)) == ["dependencies", "app"]
    assert fresh(kept(layers)) == []


def test_an_app_without_dependencies_has_one_layer(tmp_path: Path) -> None:
    write(tmp_path, "index.html", "hello")
    layers = Layers(tmp_path)
    assert fresh(kept(layers)) == ["app"]
    assert fresh(kept(layers)) == []


def test_a_file_of_holes_is_not_written_out_beyond_what_a_build_may_write(place: Path) -> None:
    write(place, "hole", "")
    os.truncate(place / "app" / "hole", 1 << 40)
    with pytest.raises(BuildFailed, match="larger than 10 MB"):
        Layers(place, 10 << 20).cut(1)
    assert not list(place.glob("layers/app.tar"))


def test_more_packages_than_a_command_takes_words_have_their_census(tmp_path: Path) -> None:
    names = [f"{'p' * 240}{number}/node_modules" for number in range(9000)]
    for name in names:
        (tmp_path / name).mkdir(parents=True)
    assert len(census(tmp_path, names)) == 64


def test_a_layer_that_is_uploaded_is_not_changed_by_one_that_is_written(tmp_path: Path) -> None:
    binary, layer = tmp_path / "binary", tmp_path / "binary.tar"
    binary.write_bytes(b"one" * 10_000)
    first = write_single(layer, "bin/one", binary)
    with layer.open("rb") as upload:
        begun = upload.read(100)
        binary.write_bytes(b"two")
        write_single(layer, "bin/one", binary)
        assert len(begun + upload.read()) == first.size
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".new"] == []
