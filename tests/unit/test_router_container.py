"""Where the proxy listens."""

from pathlib import Path

import pytest

from mothership.config import Settings
from router import container


@pytest.mark.parametrize(
    ("addresses", "hosts"),
    [
        ("00000000000000000000000000000001 01 80 10 80       lo\n", ["0.0.0.0", "::1"]),
        ("fe80000000000000e07e89fffe55b481 04 40 20 80     eth0\n", ["0.0.0.0"]),
        (None, ["0.0.0.0"]),
    ],
)
def test_ipv6s_loopback_is_published_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, addresses: str | None, hosts: list[str]
) -> None:
    file = tmp_path / "if_inet6"
    if addresses is not None:
        file.write_text(addresses)
    monkeypatch.setattr(container, "ADDRESSES", file)
    published = container.spec(Settings(data=tmp_path), tmp_path).ports
    assert [host for pairs in published.values() for host, _ in pairs] == hosts
