# shellcheck shell=bash
# What the app finds when it runs, and what later buildpacks find.

write_profile() {
	mkdir -p .profile.d
	sed "s|@PATH@|\$HOME${BUILD_PATH:+/$BUILD_PATH}/target/release|" "$BUILDPACK_DIR/profile/rust.sh" >.profile.d/rust.sh
	{
		printf 'export CARGO_HOME=%q RUSTUP_HOME=%q PATH=%q:"$PATH"\n' "$CARGO_HOME" "$RUSTUP_HOME" "$CARGO_HOME/bin"
		if [[ -n ${RUSTUP_TOOLCHAIN:-} ]]; then printf 'export RUSTUP_TOOLCHAIN=%q\n' "$RUSTUP_TOOLCHAIN"; fi
	} >"$BUILDPACK_DIR/export"
}

# Cargo never clears its target directory itself.
shrink_cache() {
	local kilobytes
	kilobytes=$(du -sk "$CARGO_TARGET_DIR" 2>/dev/null | cut -f1)
	if ((${kilobytes:-0} > 5 * 1024 * 1024)); then rm -rf "$CARGO_TARGET_DIR"; fi
}
