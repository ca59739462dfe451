"""Only Docker's own program reads Dockerfiles."""

import pytest

from builder.frontend import check
from mothership.errors import Invalid


@pytest.mark.parametrize(
    "text",
    [
        "FROM debian\n",
        "",
        "# syntax=docker/dockerfile:1\nFROM debian\n",
        "#syntax = docker.io/docker/dockerfile:1.7-labs \r\nFROM debian\n",
        "# syntax=docker/dockerfile-upstream:master\n",
        "# syntax=docker/dockerfile@sha256:abc\n",
        "# escape=`\n# a comment\nFROM debian\n# syntax=me/mine is no directive here\n",
        "# syntax=\nFROM debian\n",
    ],
)
def test_a_dockerfile_of_the_usual_syntax_is_built(text: str) -> None:
    check(text.encode(), {"BUILDKIT_SYNTAX": "docker/dockerfile:1", "OTHER": "me/mine"})


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=me/mine\nFROM debian\n",
        "#SYNTAX=me/mine:1\r\nFROM debian\n",
        "\ufeff# syntax=me/mine\n",
        "# escape=`\n# syntax=127.0.0.1:5000/docker/dockerfile\n",
        "#!/usr/bin/env x\n# syntax=me/mine\n",
        "// syntax=me/mine\nwhatever\n",
        '{"syntax": "me/mine"}\n',
        '#!/x\n{"syntax":"me/mine"}\n',
        '{"synta\\u0078": "me/mine"}\n',
        '\ufeff#!/x\n\n {"a": "b", "synta\\u0078": "me\\/mine"}\n',
        "# syntax=docker/dockerfile/../../me\n",
        "# syntax=evil.example/docker/dockerfile:1\n",
        "# syntax=docker/dockerfiles\n",
    ],
)
def test_a_dockerfile_for_another_program_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(Invalid, match="only docker/dockerfile"):
        check(text.encode(), {})


def test_the_build_argument_counts_too() -> None:
    with pytest.raises(Invalid, match="me/mine"):
        check(b"FROM debian\n", {"BUILDKIT_SYNTAX": "me/mine"})
