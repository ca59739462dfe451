# shellcheck shell=bash
# Which Rust the app asks for, and where it says so.

# Sets REQUEST (a version, stable, beta or nightly, "" for what is best), SOURCE, COMPONENTS and TARGETS.
read_version() {
	local answer key value
	COMPONENTS="" TARGETS="" REQUEST=${RUSTUP_TOOLCHAIN:-} SOURCE="the config var RUSTUP_TOOLCHAIN"
	if [[ -z $REQUEST ]]; then REQUEST=$VERSION SOURCE="VERSION in RustConfig"; fi
	unset RUSTUP_TOOLCHAIN
	answer=$(python3 -IBS "$BUILDPACK_DIR/lib/toolchain_file.py" "$SOURCE_DIR" "$BUILD_DIR") || {
		local lines
		mapfile -t lines <<<"$answer"
		fail "${lines[@]}"
	}
	while IFS='=' read -r key value; do
		case $key in
			channel) if [[ -z $REQUEST ]]; then REQUEST=$value SOURCE="${answer##*file=}"; fi ;;
			components) COMPONENTS=$value ;;
			targets) TARGETS=$value ;;
		esac
	done <<<"$answer"
	if [[ -n $REQUEST && ! $REQUEST =~ ^((stable|beta|nightly)(-[0-9]{4}-[0-9]{2}-[0-9]{2})?|1\.[0-9]+(\.[0-9]+)?(-beta(\.[0-9]+)?)?)(-x86_64-unknown-linux-gnu|-aarch64-unknown-linux-gnu)?$ ]]; then
		fail "$SOURCE asks for Rust \"$REQUEST\", which is not a version of Rust." \
			"Write one such as 1.90 or 1.90.0, or stable, beta, nightly, nightly-2026-01-31."
	fi
}
