# shellcheck shell=bash
# The toolchain: by rustup into the cache, or Debian's own in the image where rustup has no place to fetch from.

DIST=${RUSTUP_DIST_SERVER:-https://static.rust-lang.org}

install_toolchain() {
	if command -v rustup >/dev/null; then
		install_by_rustup
	else
		use_debian_rust
	fi
	forget_other_builds
}

install_by_rustup() {
	local stamp=$CACHE_DIR/toolchain wanted=${REQUEST:-stable} question
	question="$wanted $COMPONENTS $TARGETS"
	# A newer one of a channel is looked for once a day; between that the answer is the last one.
	if ! is_fresh "$stamp" "$question"; then
		fetch_toolchain "$wanted"
		echo "$question" >"$stamp"
	fi
	export RUSTUP_TOOLCHAIN=$wanted RUSTUP_AUTO_INSTALL=0
	RUST=$(rustc --version | cut -d' ' -f2)
	step "Using Rust $RUST${REQUEST:+, as $SOURCE asks for $REQUEST}"
}

is_fresh() {
	[[ -n $(find "$1" -mmin -1440 2>/dev/null) && $(<"$1") == "$2" ]] && compgen -G "$RUSTUP_HOME/toolchains/${2%% *}*/bin/rustc" >/dev/null
}

fetch_toolchain() {
	local words=() name other
	for name in $COMPONENTS; do words+=(--component "$name"); done
	for name in $TARGETS; do words+=(--target "$name"); done
	mkdir -p "$RUSTUP_HOME"
	if ! rustup toolchain install "$1" --profile minimal --no-self-update "${words[@]}" >/tmp/rustup.log 2>&1; then
		if compgen -G "$RUSTUP_HOME/toolchains/$1-*/bin/rustc" >/dev/null && ! is_reachable; then
			detail "$DIST can't be reached; Rust $1 is the one of an earlier build."
			return
		fi
		fail_fetch "$1"
	fi
	detail "Fetched Rust $1 from $DIST"
	rustup toolchain list | cut -d' ' -f1 | while read -r other; do
		if [[ $other != "$1"-* && $other != "$1" ]]; then rustup toolchain uninstall "$other" >/dev/null 2>&1; fi
	done
}

is_reachable() { curl -fsSL --max-time 20 -o /dev/null "$DIST/dist/channel-rust-stable.toml.sha256" 2>/dev/null; }

fail_fetch() {
	local newest
	newest=$(curl -fsSL --max-time 60 "$DIST/dist/channel-rust-stable.toml" 2>/dev/null |
		sed -n '/^\[pkg\.rust\]/,/^\[/s/^version = "\([0-9.]*\).*/\1/p' | head -n 1) || true
	sed 's/^/       /' /tmp/rustup.log
	if [[ -z $newest ]]; then
		fail "Rust $1 could not be fetched: $DIST can't be reached." "Push again; RUSTUP_DIST_SERVER names a mirror."
	fi
	fail "Rust $1 can't be had, which ${SOURCE} asks for." "What there is: stable ($newest), beta, nightly, $(series_before "$newest")"
}

# series_before VERSION: those of its last series that the server has.
series_before() {
	local minor found=()
	minor=$(cut -d. -f2 <<<"$1")
	for ((n = minor; n > minor - 10; n--)); do
		if curl -fsSL --max-time 10 -o /dev/null "$DIST/dist/channel-rust-1.$n.toml.sha256" 2>/dev/null; then found+=("1.$n"); fi
	done
	echo "${found[*]}"
}

use_debian_rust() {
	RUST=$(rustc --version | cut -d' ' -f2)
	case $REQUEST in
	'' | stable | "$RUST" | "${RUST%.*}") ;;
	*)
		fail "Rust $REQUEST, which $SOURCE asks for, can't be fetched: $DIST can't be reached from here." \
			"What there is: Debian's own Rust $RUST. Or name a mirror by the config var RUSTUP_DIST_SERVER."
		;;
	esac
	step "Using Debian's Rust $RUST; $DIST can't be reached from here"
}

# What another compiler built is of no use to this one.
forget_other_builds() {
	local file=$CACHE_DIR/compiler
	if [[ $(cat "$file" 2>/dev/null) != "$RUST" ]]; then
		rm -rf "$CARGO_TARGET_DIR"
		echo "$RUST" >"$file"
	fi
}
