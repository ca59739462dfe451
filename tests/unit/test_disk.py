"""What is measured of a disk while builds work on it."""

import shutil
import threading
from pathlib import Path

from builder.disk import folder_size


def test_folders_that_vanish_while_they_are_measured_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "stays").write_bytes(b"x" * 1000)
    (tmp_path / "link").symlink_to("/")
    done = threading.Event()

    def churn() -> None:
        while not done.is_set():
            for number in range(20):
                (tmp_path / f"{number}/a/b").mkdir(parents=True, exist_ok=True)
            for number in range(20):
                shutil.rmtree(tmp_path / f"{number}", ignore_errors=True)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        assert all(folder_size(tmp_path) >= 1000 for _ in range(2000))
    finally:
        done.set()
        thread.join()
