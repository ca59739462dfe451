# shellcheck shell=bash
# Which PHP there is, and whether it has what the app asks for.

announce_runtime() {
	local wish version
	version=$(php -r 'echo PHP_VERSION;')
	wish=$(jq -r '.require.php // ""' composer.json 2>/dev/null || true)
	if [[ -n $wish ]]; then
		step "Using PHP $version (composer.json asks for $wish)"
	else
		step "Using PHP $version, the default; require.php in composer.json chooses another"
	fi
}

check_extensions() {
	local missing
	missing=$(php -m | python3 -IBS "$BUILDPACK_DIR/lib/extensions.py" "$BUILD_DIR") || {
		fail "PHP here lacks extensions that the app needs: ${missing//$'\n'/, }" \
			"What there is: $(php -m | sed '/^\[/d; /^$/d; s/Zend OPcache/opcache/' | tr '[:upper:]' '[:lower:]' | sort -u | paste -sd ' ')" \
			"Take the package that needs them out of composer.json, run composer update, commit, and push again."
	}
}
