# shellcheck shell=bash
# Composer's packages. What is installed stays from build to build; Composer changes only what the lock file says.

MARKER=$PHP_DIR/packages

install_packages() {
	local log status=0
	log=$(mktemp)
	step "Installing packages with Composer $(composer --version --no-ansi 2>/dev/null | sed -n 's/^Composer version \([0-9.]*\).*/\1/p')"
	if [[ ! -f composer.lock ]] && has_packages; then
		warn "composer.lock is missing: versions may differ from build to build. Commit one for the same each time."
	fi
	indented composer install --no-dev --prefer-dist --optimize-autoloader --no-interaction --no-progress --no-ansi | tee "$log" || status=$?
	((status == 0)) || fail_install "$log"
	mkdir -p "$PHP_DIR"
	vendor_directory >"$MARKER"
}

has_packages() { jq -e '[(.require // {}) | keys[] | select(contains("/"))] | length > 0' composer.json >/dev/null; }

fail_install() {
	if grep -qE "Could not resolve host|Failed to connect|Connection (refused|timed out)|timed out after" "$1"; then
		fail "The packages can't be downloaded from here: Composer says above which host doesn't answer." \
			"Packages come from repo.packagist.org and GitHub. Where the server can't reach them, name a mirror:" \
			"  mothership config:set PACKAGIST_MIRROR=https://mirror.example.com" \
			"or commit the packages and name them in composer.json: repositories of the type path or artifact."
	fi
	fail "The packages in composer.json can't be installed." "What Composer says is above." \
		"If composer.lock is out of date: composer update --lock, commit it, and push again."
}

# forget_packages: an app that gave up Composer keeps nothing of it.
forget_packages() {
	if [[ -f $MARKER ]]; then
		rm -rf "${BUILD_DIR:?}/$(<"$MARKER")" "$MARKER"
	fi
}

vendor_directory() { jq -r '.config["vendor-dir"] // "vendor"' composer.json; }

# The script named `compile` in composer.json, as Heroku runs it.
run_compile_script() {
	if [[ $(jq -r '.scripts.compile // "" | tostring' composer.json) == "" ]]; then
		return
	fi
	step "Running composer compile"
	indented composer run-script --no-dev --no-ansi compile ||
		fail "The script compile in composer.json failed." "Its output is above; mend it, commit, and push again."
}
