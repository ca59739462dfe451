# shellcheck shell=bash
# Pythons that the stack can be extended by, each from another suite of Debian.

# In the order in which they are preferred where several would do.
EXTRAS='3.14 3.15 3.11'

# choose_extra: print the extra's name, nothing when none is needed; fail when no Python fits.
choose_extra() {
	local found
	if [[ -z $REQUEST ]] || stack_has_it || downloaded_before; then
		return
	fi
	found=$(fitting_extra)
	# An extra that is there already is kept: whether there is a download is asked once, not at every push.
	if [[ -n $found && " ${MOTHERSHIP_EXTRAS:-} " == *" python-$found "* ]] || ! can_download; then
		if [[ -z $found ]]; then
			fail_unavailable >&2
		fi
		echo "python-$found"
	fi
}

stack_has_it() {
	/usr/bin/python3 -IBS "$BUILDPACK_DIR/lib/fits.py" "$REQUEST" "$SYSTEM_VERSION" >/dev/null
}

downloaded_before() {
	[[ -d $BUILD_DIR/.heroku/cpython && -f $VENV/.interpreter && $(<"$VENV/.interpreter") == "$REQUEST of $SYSTEM_VERSION" ]]
}

fitting_extra() {
	# shellcheck disable=SC2086
	/usr/bin/python3 -IBS "$BUILDPACK_DIR/lib/fits.py" "$REQUEST" $EXTRAS || true
}

# can_download: does uv know such a Python, and does its host answer within a moment?
can_download() {
	local url
	url=$(uv python list --no-config --only-downloads --show-urls --output-format json "$REQUEST" 2>/dev/null |
		jq -r '[.[] | select(.implementation == "cpython" and .variant == "default") | .url][0] // ""') || return 1
	[[ -n $url ]] && curl -fsSLI --connect-timeout 2 --max-time 5 -o /dev/null -- "$(mirrored "$url")" 2>/dev/null
}

# mirrored URL: where a setting of uv's has that download come from.
mirrored() {
	local host='https://github.com/astral-sh/python-build-standalone/releases/download'
	printf '%s' "${1/#$host/${UV_PYTHON_INSTALL_MIRROR:-$host}}"
}

fail_unavailable() {
	fail "There is no Python $REQUEST here, which $REQUEST_FILE asks for." "" \
		"What can be had: $(available_versions)" \
		"$(advice "${SYSTEM_VERSION%.*}")" \
		"With access to the internet, or to a mirror named by UV_PYTHON_INSTALL_MIRROR, there would be:" \
		"$(known_versions)"
}

# advice VERSION: how to ask for another.
advice() {
	if [[ $REQUEST_FILE == *PYTHON_VERSION ]]; then
		printf 'Set another and push again: mothership config:set PYTHON_VERSION=%s' "$1"
	else
		printf 'Write one of them in .python-version, such as %s, commit it and push again.' "$1"
	fi
}

available_versions() {
	local version
	printf "%s (the stack's own)" "$SYSTEM_VERSION"
	for version in $EXTRAS; do
		printf ', %s' "$("python$version" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo "$version")"
	done
}

known_versions() {
	uv python list --no-config --only-downloads --output-format json 2>/dev/null |
		jq -r '[.[] | select(.implementation == "cpython" and .variant == "default") | .version] | unique_by(split(".") | map(tonumber? // 0)) | reverse | join(", ")' ||
		true
}
