# shellcheck shell=bash
# The environment cargo runs in: config vars, RustConfig, caches.

RESERVED=' PATH HOME PWD OLDPWD IFS SHELL SHELLOPTS BASHOPTS BASH_ENV ENV UID EUID PPID LD_PRELOAD LD_LIBRARY_PATH GIT_DIR
 BUILDPACK_DIR BUILD_DIR CACHE_DIR ENV_DIR CARGO_HOME RUSTUP_HOME CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR VERSION PORT '

# Macros look at some of them while they compile, such as DATABASE_URL.
load_config_vars() {
	export_config_vars
}

# RustConfig, a shell script of assignments (emk/heroku-buildpack-rust, README).
read_rust_config() {
	VERSION="" RUST_SKIP_BUILD=${RUST_SKIP_BUILD:-0} BUILD_PATH=${BUILD_PATH:-}
	RUST_INSTALL_DIESEL=${RUST_INSTALL_DIESEL:-0} DIESEL_FLAGS=${DIESEL_FLAGS:-}
	RUST_CARGO_BUILD_FLAGS=${RUST_CARGO_BUILD_FLAGS:---release}
	if [[ -f RustConfig ]]; then
		bash -n RustConfig 2>/tmp/rust-config.log || {
			indented cat /tmp/rust-config.log
			fail "RustConfig is not a shell script of assignments." "Such as: VERSION=1.90.0"
		}
		set +eu
		# shellcheck source=/dev/null
		source RustConfig
		set -eu
	fi
	SOURCE_DIR=$BUILD_DIR${BUILD_PATH:+/$BUILD_PATH}
	if [[ $RUST_SKIP_BUILD != 1 && ! -f $SOURCE_DIR/Cargo.toml ]]; then
		fail "There is no ${BUILD_PATH:+$BUILD_PATH/}Cargo.toml." "Commit one, name its folder by BUILD_PATH in RustConfig," \
			"or write RUST_SKIP_BUILD=1 there for the toolchain alone."
	fi
}

set_cargo_environment() {
	export CARGO_HOME=$CACHE_DIR/cargo RUSTUP_HOME=$CACHE_DIR/rustup CARGO_TARGET_DIR=$CACHE_DIR/target
	export CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never RUSTUP_TERM_COLOR=never
	# git knows the mirrors and the credentials of this build.
	export CARGO_NET_GIT_FETCH_WITH_CLI=${CARGO_NET_GIT_FETCH_WITH_CLI:-true}
	# Queries that were checked on a desk need no database here.
	if [[ -d $SOURCE_DIR/.sqlx ]]; then export SQLX_OFFLINE=${SQLX_OFFLINE:-true}; fi
}
