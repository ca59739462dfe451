"""What is said where no buildpack fits."""

from pathlib import Path

import pytest

from builder.choose import nothing_detected


@pytest.mark.parametrize(
    ("file", "language"),
    [("build.sbt", "Scala"), ("project.clj", "Clojure"), ("mix.exs", "Elixir"), ("A.csproj", ".NET")],
)
def test_a_language_that_another_buildpack_knows_is_named_with_it(tmp_path: Path, file: str, language: str) -> None:
    (tmp_path / file).touch()
    error = nothing_detected("shop", tmp_path)
    assert f"shop is in {language}," in str(error)
    assert "mothership buildpacks:set -a shop https://github.com/" in str(error.hint)


def test_where_nothing_is_known_all_that_was_looked_for_is_said(tmp_path: Path) -> None:
    (tmp_path / "README").touch()
    assert "static site: index.html, static.json, Staticfile" in str(nothing_detected("shop", tmp_path))
