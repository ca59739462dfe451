# shellcheck shell=bash
# The app's own bin/pre_compile and bin/post_compile.

run_hook() {
	local hook=$1
	if [[ ! -f bin/$hook ]]; then
		return
	fi
	step "Running bin/$hook"
	chmod +x "bin/$hook"
	if ! indented env PATH="$(pip_directory):$PATH" "bin/$hook"; then
		fail "bin/$hook failed." "Its output is above; mend it, commit, and push again."
	fi
}

# Hooks often call pip; the image has none, so it is uv in pip's clothes while the build lasts.
pip_directory() {
	local directory=$BUILDPACK_DIR/pip
	mkdir -p "$directory"
	printf '#!/bin/sh\nexec uv pip "$@"\n' >"$directory/pip"
	chmod +x "$directory/pip"
	ln -sf pip "$directory/pip3"
	printf '%s' "$directory"
}
