"""Prints what rust-toolchain or rust-toolchain.toml asks for (rustup, "The toolchain file")."""

import sys
import tomllib
from pathlib import Path


def main(*folders: str) -> None:
    for folder in folders:
        for name in ("rust-toolchain", "rust-toolchain.toml"):
            path = Path(folder) / name
            if path.is_file():
                tell(path)
                return


def tell(path: Path) -> None:
    text = path.read_text(errors="replace").strip()
    if path.suffix != ".toml" and "\n" not in text and "[" not in text:
        print(f"channel={text}\nfile={path.name}")
        return
    try:
        toolchain = tomllib.loads(text)["toolchain"]
        channel = str(toolchain.get("channel", ""))
        lists = {key: [str(name) for name in toolchain.get(key, ())] for key in ("components", "targets")}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        fail(
            f"{path.name} is not what it should be: {error}.", 'Such as: [toolchain] and, below it, channel = "1.90.0"'
        )
    if "path" in toolchain:
        fail(f"{path.name} names a toolchain by its path, which is not on this server.", "Name a channel instead.")
    if channel:
        print(f"channel={channel}")
    for key, names in lists.items():
        print(f"{key}={' '.join(names)}")
    print(f"file={path.name}")


def fail(*lines: str) -> None:
    print(*lines, sep="\n")
    sys.exit(1)


main(*sys.argv[1:])
