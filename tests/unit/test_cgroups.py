"""The limits of Dockerfile steps: whose steps they are, and what is written where."""

from pathlib import Path

from builder.cgroups import Allowance, mark, restrict, step_cgroups

ALLOWED = Allowance(memory=1 << 20, cpu=1.5, pids=64)


def process(path: Path, cgroup: str, environ: str) -> Path:
    (path / "cgroup").write_text(cgroup)
    (path / "environ").write_text(environ)
    return path


def test_a_step_is_known_by_its_mark_and_by_nothing_else(tmp_path: Path) -> None:
    cgroup = "4:memory:/docker/buildkit/abc\n2:cpu,cpuacct:/docker/buildkit/abc\n"
    mine = process(tmp_path, cgroup, f"PATH=/bin\0no_proxy={mark('B1')}\0")
    assert step_cgroups(mine, mark("B1"))["memory"] == "/docker/buildkit/abc"
    assert step_cgroups(mine, mark("B1"))["cpuacct"] == "/docker/buildkit/abc"
    assert step_cgroups(mine, mark("B2")) == {}
    assert step_cgroups(tmp_path / "gone", mark("B1")) == {}


def test_the_builds_own_client_is_no_step(tmp_path: Path) -> None:
    client = process(tmp_path, "4:memory:/user.slice\n", f"no_proxy={mark('B1')}\0")
    assert step_cgroups(client, mark("B1")) == {}


def test_both_versions_of_the_interface_are_written(tmp_path: Path) -> None:
    for folder in ("memory/a", "pids/a", "cpu/a", "b"):
        (tmp_path / folder).mkdir(parents=True)
    restrict({"memory": "/a", "pids": "/a", "cpu": "/a"}, ALLOWED, tmp_path)
    restrict({"": "/b"}, ALLOWED, tmp_path)
    assert (tmp_path / "memory/a/memory.limit_in_bytes").read_text() == str(1 << 20)
    assert (tmp_path / "cpu/a/cpu.cfs_quota_us").read_text() == "150000"
    assert (tmp_path / "b/pids.max").read_text() == "64"
    assert (tmp_path / "b/cpu.max").read_text() == "150000 100000"


def test_a_step_that_has_ended_meanwhile_is_no_error(tmp_path: Path) -> None:
    restrict({"memory": "/gone", "pids": "/gone"}, ALLOWED, tmp_path)
    assert list(tmp_path.iterdir()) == []
