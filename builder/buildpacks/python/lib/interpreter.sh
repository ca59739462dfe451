# shellcheck shell=bash
# /usr/bin/python3 is the stack's own, whatever environment stands first in the PATH.
# Which Python the app gets: the stack's own or an extra's wherever it will do, else one that uv can download.

# Sets MANAGER, MANAGER_FILE, REQUEST, REQUEST_FILE, SYSTEM_VERSION, INPUTS, VOLATILE and the arrays UNUSED and READ.
read_plan() {
	local key value answer
	answer=$(/usr/bin/python3 -IBS "$BUILDPACK_DIR/lib/plan.py" "$BUILD_DIR") || fail_plan "$answer"
	UNUSED=() READ=()
	while IFS='=' read -r key value; do
		case $key in
			unused) UNUSED+=("$value") ;;
			read) READ+=("$value") ;;
			*) printf -v "${key^^}" '%s' "$value" ;;
		esac
	done <<<"$answer"
}

fail_plan() {
	local lines
	mapfile -t lines <<<"$1"
	fail "${lines[@]}"
}

choose_interpreter() {
	local wanted="$REQUEST of $SYSTEM_VERSION" marker=$VENV/.interpreter
	if [[ $REQUEST_FILE == runtime.txt ]]; then
		warn "runtime.txt is deprecated. A .python-version file that holds $REQUEST says the same."
	fi
	if [[ -x $VENV/bin/python && -f $marker && $(<"$marker") == "$wanted" ]]; then
		step "Using $(python_words)"
		return
	fi
	find_interpreter
	uv venv --quiet --clear --no-project --no-config --python "$PYTHON" "$VENV"
	rm -f "$VENV/.gitignore" "$VENV/CACHEDIR.TAG"
	printf '%s' "$wanted" >"$marker"
	step "Using $(python_words)"
}

# The venv's version and where the wish for it comes from.
python_words() {
	local version
	version=$(sed -n 's/^version_info = //p' "$VENV/pyvenv.cfg")
	if [[ -n $REQUEST ]]; then
		printf 'Python %s (%s asks for %s)' "$version" "$REQUEST_FILE" "$REQUEST"
	else
		printf 'Python %s, the default; a .python-version file chooses another' "$version"
	fi
}

# Sets PYTHON to the path of an interpreter that meets the request.
find_interpreter() {
	local directory=$BUILD_DIR/.heroku/cpython
	if PYTHON=$(uv python find --no-project --no-config --system --no-managed-python --no-python-downloads \
		"${REQUEST:-$SYSTEM_VERSION}" 2>/dev/null); then
		rm -rf "$directory"
		return
	fi
	download_interpreter "$directory"
	PYTHON=$(UV_PYTHON_INSTALL_DIR=$directory uv python find --no-project --no-config --system --managed-python \
		--no-python-downloads "$REQUEST")
}

download_interpreter() {
	local directory=$1 answer
	rm -rf "$directory"
	can_download || fail_unavailable
	step "Downloading Python $REQUEST"
	if ! answer=$(UV_HTTP_RETRIES=${UV_HTTP_RETRIES:-1} uv python install --no-config --no-bin \
		--install-dir "$directory" "$REQUEST" 2>&1); then
		rm -rf "$directory"
		sed 's/^/       /' <<<"$answer"
		fail_unavailable
	fi
	rm -rf "$directory"/.[!.]* "$directory/.lock"
	"$(compgen -G "$directory/cpython-*/bin/python3" | head -n 1)" -IBS "$BUILDPACK_DIR/lib/bytecode.py" "$directory"
}
