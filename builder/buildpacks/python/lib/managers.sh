# shellcheck shell=bash
# How each package manager's files become installed packages. Every one of them removes what is no longer wanted.

POETRY='poetry==2.5.1 poetry-plugin-export==1.10.1'

install_with_pip() {
	local again=()
	# A directory of the app's own has the same name and version whatever is in it.
	if [[ $VOLATILE == yes ]]; then again=(--reinstall --refresh); fi
	uv pip install --exact "${again[@]}" -r requirements.txt || return
	keep_pkg_resources
}

# Old packages import pkg_resources, and ask for any setuptools; those since 82 are without it.
keep_pkg_resources() {
	local packages
	packages=$(echo "$VENV"/lib/python*/site-packages)
	if [[ -d $packages/setuptools && ! -d $packages/pkg_resources ]] && ! grep -qi '^setuptools' requirements.txt &&
		grep -rqE --include='*.py' --exclude-dir=setuptools '^(import|from) pkg_resources' "$packages"; then
		echo "An older setuptools, for a package that imports pkg_resources:"
		uv pip install 'setuptools<81'
	fi
}

install_with_uv() {
	uv sync --locked --no-default-groups --python "$VENV/bin/python" --no-python-downloads
}

install_with_pipenv() {
	local scratch
	scratch=$(mktemp)
	/usr/bin/python3 -IBS "$BUILDPACK_DIR/lib/pipfile.py" "$MANAGER_FILE" >"$scratch" || { cat "$scratch"; return 1; }
	# A lock file names every package with its hashes, so that no index can slip in another one.
	if [[ $MANAGER_FILE == Pipfile.lock ]]; then
		uv pip sync --allow-empty-requirements --index-strategy unsafe-best-match "$scratch"
	else
		warn "Pipfile.lock is missing, so the newest matching versions are installed. Commit one: pipenv lock"
		uv pip install --exact -r "$scratch"
	fi
}

install_with_poetry() {
	local scratch
	scratch=$(mktemp)
	make_poetry || return
	run_poetry export --quiet --format requirements.txt --only main --output "$scratch" || return
	uv pip sync --allow-empty-requirements --index-strategy unsafe-best-match "$scratch" || return
	if poetry_packages_the_app; then
		uv pip install --no-deps --editable . || {
			warn "If the app isn't a package, add to pyproject.toml:" "  [tool.poetry]" "  package-mode = false"
			return 1
		}
	fi
}

# Poetry lives in the cache, in an environment of its own, and never in the image.
make_poetry() {
	local home=$CACHE_DIR/poetry
	if [[ -x $home/bin/poetry && -f $home/.contents && $(<"$home/.contents") == "$POETRY of $SYSTEM_VERSION" ]]; then
		return
	fi
	uv venv --quiet --clear --no-project --no-config --python "$SYSTEM_VERSION" "$home" || return
	# shellcheck disable=SC2086
	uv pip install --quiet --no-config --python "$home/bin/python" $POETRY || return
	printf '%s' "$POETRY of $SYSTEM_VERSION" >"$home/.contents"
}

run_poetry() {
	POETRY_VIRTUALENVS_CREATE=false POETRY_NO_INTERACTION=1 POETRY_CACHE_DIR=$CACHE_DIR/poetry-cache \
		POETRY_CONFIG_DIR=$CACHE_DIR/poetry-config "$CACHE_DIR/poetry/bin/poetry" "$@"
}

poetry_packages_the_app() {
	grep -q '^\[build-system\]' pyproject.toml && ! grep -qE '^package-mode *= *false' pyproject.toml
}

# Editable, so that a change of the source alone needs no new installation.
install_with_pyproject() {
	if [[ -f setup.py ]] || grep -q '^\[build-system\]' pyproject.toml; then
		uv pip install --exact --editable .
	else
		uv pip install --exact -r pyproject.toml
	fi
}

install_with_setup_py() {
	uv pip install --exact --editable .
}
