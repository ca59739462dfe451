"""The Rust buildpack: toolchains of any version, workspaces, RustConfig, caches, and Debian's own Rust."""

import shutil
from pathlib import Path

import pytest

from tests.engine.server import EXAMPLES, Server

SERVE = """
use std::env;
use std::io::{Read, Write};
use std::net::TcpListener;

pub fn serve(text: &str) {
    let listener = TcpListener::bind(("0.0.0.0", env::var("PORT").unwrap().parse().unwrap())).unwrap();
    for connection in listener.incoming() {
        let mut connection = connection.unwrap();
        let _ = connection.read(&mut [0; 4096]);
        let head = format!("HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: {}\\r\\n\\r\\n", text.len());
        let _ = connection.write_all((head + text).as_bytes());
    }
}
"""
SITE = """
fn main() {
    let port = std::env::var("ROCKET_PORT") == std::env::var("PORT");
    lib::serve(&format!("site {} {} {}", port, env!("STAMP"), cfg!(feature = "bright")));
}
"""
MANY = {
    "Cargo.toml": '[workspace]\nmembers = ["lib", "site"]\nresolver = "2"\n',
    "Cargo.lock": 'version = 3\n\n[[package]]\nname = "lib"\nversion = "0.1.0"\n\n'
    '[[package]]\nname = "site"\nversion = "0.1.0"\ndependencies = [\n "lib",\n]\n',
    "lib/Cargo.toml": '[package]\nname = "lib"\nversion = "0.1.0"\nedition = "2021"\n',
    "lib/src/lib.rs": SERVE,
    "site/Cargo.toml": '[package]\nname = "site"\nversion = "0.1.0"\nedition = "2021"\ndefault-run = "page"\n\n'
    '[features]\nbright = []\n\n[dependencies]\nlib = { path = "../lib" }\n',
    "site/src/bin/page.rs": SITE,
    "site/src/bin/migrate.rs": 'fn main() {\n    println!("migrated");\n}\n',
    "rust-toolchain.toml": '[toolchain]\nchannel = "1.88"\n',
    "RustConfig": 'RUST_CARGO_BUILD_FLAGS="--release --bins --features site/bright"\n',
}
ONE = {"Cargo.toml": '[package]\nname = "one"\nversion = "0.1.0"\nedition = "2021"\n', "src/main.rs": SERVE}
MAIN = SERVE + '\nfn main() {\n    serve("one");\n}\n'


def test_the_rust_example_is_served_and_a_source_change_compiles_only_the_app(server: Server, folder: Path) -> None:
    shutil.copytree(EXAMPLES / "rust", folder, dirs_exist_ok=True)
    server.commit(folder)
    pushed = server.push(folder, "rust-example", timeout=400)
    assert pushed.code == 0 and "Compiling tiny_http" in pushed.text and "--locked" in pushed.text, pushed.text
    assert server.get("rust-example").body == "Hello from Rust on Mothership!\n"
    main = (folder / "src/main.rs").read_text().replace("Hello", "Good day")
    server.commit(folder, {"src/main.rs": main})
    pushed = server.push(folder, "rust-example")
    assert pushed.code == 0 and "Compiling hello" in pushed.text, pushed.text
    assert "Fetched" not in pushed.text and "tiny_http" not in pushed.text and "Adding" not in pushed.text, pushed.text
    assert server.get("rust-example").body == "Good day from Rust on Mothership!\n"
    found = server.ssh("run rust-example 'find target -type f; command -v hello cargo'")
    assert found.stdout.split() == ["target/release/hello", "/app/target/release/hello"], found.stdout


def test_a_workspace_is_built_by_its_toolchain_file_and_rust_config(server: Server, folder: Path) -> None:
    server.commit(folder, {**MANY, "site/build.rs": 'fn main() { println!("cargo:rustc-env=STAMP=built"); }\n'})
    pushed = server.push(folder, "rust-many", timeout=400)
    assert pushed.code == 0 and "Using Rust 1.88.0, as rust-toolchain.toml asks for 1.88" in pushed.text, pushed.text
    assert server.get("rust-many").body == "site true built true"
    assert server.ssh("run rust-many ./target/release/migrate").stdout.strip() == "migrated"
    server.commit(folder, {"lib/src/lib.rs": SERVE + "\npub fn unused() { nothing() }\n"})
    pushed = server.push(folder, "rust-many")
    assert pushed.code == 1 and "cannot find function `nothing`" in pushed.text, pushed.text
    server.commit(folder, {"lib/src/lib.rs": SERVE, "site/Cargo.toml": MANY["site/Cargo.toml"] + 'log = "0.4"\n'})
    pushed = server.push(folder, "rust-many")
    assert pushed.code == 1 and "--locked" in pushed.text and "could not be built" in pushed.text, pushed.text


@pytest.mark.parametrize(
    ("app", "files", "said"),
    [
        ("rust-none", {"rust-toolchain": "1.999.0\n"}, "Rust 1.999.0 can't be had"),
        ("rust-word", {"RustConfig": "VERSION=newest\n"}, '"newest", which is not a version'),
        ("rust-path", {"rust-toolchain.toml": '[toolchain]\npath = "/opt"\n'}, "a toolchain by its path"),
        ("rust-toml", {"rust-toolchain.toml": "[toolchain\n"}, "is not what it should be"),
        ("rust-shell", {"RustConfig": "VERSION='1.88\n"}, "RustConfig is not a shell script"),
        ("rust-where", {"RustConfig": "BUILD_PATH=server\n"}, "There is no server/Cargo.toml"),
    ],
)
def test_a_toolchain_that_can_not_be_had_is_an_error_that_says_what_to_write(
    server: Server, folder: Path, app: str, files: dict[str, str], said: str
) -> None:
    server.commit(folder, {**ONE, **files})
    pushed = server.push(folder, app)
    assert pushed.code == 1 and said in pushed.text, pushed.text
    if app == "rust-none":
        assert "stable (1." in pushed.text and "beta, nightly, 1." in pushed.text, pushed.text


def test_where_no_toolchain_can_be_fetched_debian_has_one(server: Server, folder: Path) -> None:
    server.commit(folder, {**ONE, "src/main.rs": MAIN})
    assert server.ssh("apps:create rust-alone").returncode == 0
    assert server.ssh("config:set rust-alone RUSTUP_DIST_SERVER=http://127.0.0.1:9").returncode == 0
    pushed = server.push(folder, "rust-alone", timeout=400)
    assert pushed.code == 0 and "Using Debian's Rust 1." in pushed.text, pushed.text
    assert server.get("rust-alone").body == "one"
    server.commit(folder, {"rust-toolchain": "1.70.0\n"})
    pushed = server.push(folder, "rust-alone")
    assert pushed.code == 1 and "Rust 1.70.0, which rust-toolchain asks for, can't be fetched" in pushed.text
    assert "Debian's own Rust 1." in pushed.text, pushed.text
