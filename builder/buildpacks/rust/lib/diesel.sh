# shellcheck shell=bash
# The diesel command beside the app's programs, for migrations in the release phase (RUST_INSTALL_DIESEL=1).

install_diesel() {
	if [[ $RUST_INSTALL_DIESEL != 1 ]]; then return; fi
	local tools=$CACHE_DIR/tools flags
	read -ra flags <<<"$DIESEL_FLAGS"
	if [[ ! -x $tools/bin/diesel || $(cat "$tools/flags" 2>/dev/null) != "$DIESEL_FLAGS" ]]; then
		step "Installing diesel"
		indented cargo install diesel_cli --root "$tools" --force "${flags[@]}" ||
			fail "The diesel command could not be installed." "What cargo says is above. DIESEL_FLAGS are: $DIESEL_FLAGS"
		echo "$DIESEL_FLAGS" >"$tools/flags"
	fi
	mkdir -p "$SOURCE_DIR/target/release"
	cp "$tools/bin/diesel" "$SOURCE_DIR/target/release/"
}
