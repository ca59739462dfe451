# shellcheck shell=bash
# Build with cargo; only the programs go into the image.

build() {
	PROGRAMS=()
	if [[ $RUST_SKIP_BUILD == 1 ]]; then
		step "Not building, as RUST_SKIP_BUILD says"
		return
	fi
	cd "$SOURCE_DIR" || exit 1
	keep_lock
	run_cargo
	copy_programs
	cd "$BUILD_DIR" || exit 1
}

# keep_lock: without a committed lock, at least the same versions as in the last build.
keep_lock() {
	LOCK=()
	if [[ -f Cargo.lock || -f $BUILD_DIR/Cargo.lock ]]; then
		LOCK=(--locked)
	else
		detail "There is no Cargo.lock: versions may differ from build to build. Commit one for the same each time."
		cp "$CACHE_DIR/Cargo.lock" . 2>/dev/null || true
	fi
}

run_cargo() {
	local words
	read -ra words <<<"$RUST_CARGO_BUILD_FLAGS"
	words+=("${LOCK[@]}")
	step "Running: cargo build ${words[*]}"
	if ! cargo build "${words[@]}" --message-format json-render-diagnostics 2>&1 >/tmp/cargo.json | left_aligned; then
		fail "The app could not be built with Rust $RUST." \
			"What cargo says is above; \`cargo build --release --locked\` on your machine shows the same."
	fi
	if [[ ${#LOCK[@]} == 0 && -f Cargo.lock ]]; then cp Cargo.lock "$CACHE_DIR/Cargo.lock"; fi
}

# Cargo right-aligns the verbs of what it does.
left_aligned() { sed -uE 's/^ {3,}([A-Z][a-z]+ )/\1/; s/^/       /'; }

copy_programs() {
	local file
	rm -rf target/release
	mkdir -p target/release
	while IFS= read -r file; do
		cp "$file" target/release/
		PROGRAMS+=("${file##*/}")
	done < <(jq -r 'select(.reason == "compiler-artifact" and .executable != null and (.target.kind | index("bin"))) | .executable' /tmp/cargo.json | sort -u)
	while IFS= read -r file; do
		cp "$file" target/release/
	done < <(jq -r 'select(.reason == "compiler-artifact" and (.target.kind | index("cdylib")) and (.package_id | startswith("path+"))) | .filenames[] | select(endswith(".so"))' /tmp/cargo.json | sort -u)
	if ((${#PROGRAMS[@]})); then
		step "Built: ${PROGRAMS[*]/#/target/release/}"
	else
		detail "There is no program among what was built."
	fi
}

# One program is the web process; of several, the one that `cargo run` would start or that is named like the package.
write_process() {
	local program="" default
	: >/tmp/rust-process
	if ((${#PROGRAMS[@]} == 1)); then
		program=${PROGRAMS[0]}
	elif ((${#PROGRAMS[@]} > 1)); then
		for default in $(cd "$SOURCE_DIR" && cargo metadata --no-deps --offline --format-version 1 2>/dev/null |
			jq -r '[.packages[].default_run // empty] + [.packages[].name] | .[]'); do
			if [[ " ${PROGRAMS[*]} " == *" $default "* ]]; then
				program=$default
				break
			fi
		done
	fi
	if [[ -n $program ]]; then
		printf 'default_process_types:\n  web: %starget/release/%s\n' "${BUILD_PATH:+$BUILD_PATH/}" "$program" >/tmp/rust-process
	fi
}
