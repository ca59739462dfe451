# shellcheck shell=bash
# Install the packages, only when what decides them has changed.

install_packages() {
	local marker=$VENV/.inputs
	if ((${#UNUSED[@]})); then
		warn "Using $MANAGER_FILE. Also found: ${UNUSED[*]}; delete what the app doesn't use."
	fi
	if [[ $VOLATILE == no && -f $marker && $(<"$marker") == "$INPUTS" ]]; then
		step "Using the packages of the last build: $MANAGER_FILE hasn't changed"
		return
	fi
	step "Installing packages from $MANAGER_FILE"
	rm -f "$marker"
	if ! indented "install_with_$MANAGER" | tee /tmp/install.log; then
		fail_install
	fi
	tidy_packages
	printf '%s' "$INPUTS" >"$marker"
}

fail_install() {
	local lines=("The packages in $MANAGER_FILE can't be installed." "The reason is above.")
	if [[ ! $REQUEST =~ ^[0-9.]+$ ]] && grep -qE 'Failed to( download and)? build|build backend returned an error' /tmp/install.log; then
		lines+=("A package that is older than Python $SYSTEM_VERSION may not build with it. Choose another, such as 3.11, for the app:"
			"  echo 3.11 >.python-version && git add .python-version")
	fi
	case $MANAGER in
		uv) lines+=("If the lock file is out of date, run \`uv lock\`, commit uv.lock and push again.") ;;
		poetry) lines+=("If the lock file is out of date, run \`poetry lock\`, commit poetry.lock and push again.") ;;
		pipenv) lines+=("If the lock file is out of date, run \`pipenv lock\`, commit Pipfile.lock and push again.") ;;
		*) lines+=("Install them in a fresh virtual environment on your machine to see the same, then push again.") ;;
	esac
	fail "${lines[@]}"
}

# What installers leave must depend on the packages alone: no times, and byte code that needs none.
tidy_packages() {
	find "$VENV"/lib/python*/site-packages -maxdepth 2 -name uv_cache.json -delete
	rm -f "$VENV/.lock"
	"$VENV/bin/python" -IBS "$BUILDPACK_DIR/lib/bytecode.py" "$VENV/lib"
	shrink_cache
}

# Prebuilt wheels are quick to download again; what was compiled here is kept.
shrink_cache() {
	local kilobytes
	if [[ $UV_CACHE_DIR == "$CACHE_DIR"/* ]]; then
		kilobytes=$(du -sk "$UV_CACHE_DIR" | cut -f1)
		if ((kilobytes > 2 * 1024 * 1024)); then
			uv cache prune --quiet --ci
		fi
	fi
}
