"""What is asked of an engine before anything else: which version of its API to speak."""

import pytest

from mothership.engine.calls import spoken_version


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ({"ApiVersion": "1.41", "MinAPIVersion": "1.12"}, "1.41"),
        ({"ApiVersion": "1.45", "MinAPIVersion": "1.24"}, "1.41"),
        ({"ApiVersion": "1.52", "MinAPIVersion": "1.44"}, "1.44"),
        ({"ApiVersion": "2.0", "MinAPIVersion": "1.100"}, "1.100"),
        ({}, "1.41"),
    ],
)
def test_an_engine_is_spoken_to_in_the_oldest_version_that_both_know(answer: dict[str, str], version: str) -> None:
    assert spoken_version(answer) == version
