# shellcheck shell=bash
# The environment Composer and the app's scripts run in: config vars, caches, mirrors.

RESERVED=' PATH HOME PWD OLDPWD IFS SHELL SHELLOPTS BASHOPTS BASH_ENV ENV UID EUID PPID LD_PRELOAD LD_LIBRARY_PATH
 GIT_DIR PHPRC PHP_INI_SCAN_DIR BUILDPACK_DIR BUILD_DIR CACHE_DIR ENV_DIR PHP_DIR COMPOSER_HOME COMPOSER_VENDOR_DIR
 COMPOSER PORT '

load_config_vars() {
	export_config_vars
	export PHP_INI_SCAN_DIR=:$PHP_DIR/conf.d
	export PATH=$PHP_DIR/bin:$PATH
}

set_up_composer() {
	jq -e 'type == "object"' composer.json >/dev/null 2>&1 ||
		fail "composer.json is not valid JSON." "Mend it (composer validate shows where), commit, and push again."
	[[ ! -f composer.lock ]] || jq -e 'type == "object"' composer.lock >/dev/null 2>&1 ||
		fail "composer.lock is not valid JSON; is a merge conflict left in it?" "Make it anew with composer update, commit it, and push again."
	export COMPOSER_HOME=/tmp/composer COMPOSER_CACHE_DIR=${COMPOSER_CACHE_DIR:-$CACHE_DIR/composer}
	export COMPOSER_NO_INTERACTION=1 COMPOSER_PROCESS_TIMEOUT=0 COMPOSER_MEMORY_LIMIT=-1 COMPOSER_ROOT_VERSION=${COMPOSER_ROOT_VERSION:-1.0.0}
	export COMPOSER_CAFILE=${COMPOSER_CAFILE:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
	mkdir -p "$COMPOSER_HOME"
	set_mirror "${PACKAGIST_MIRROR:-}"
}

# set_mirror URL: have another Composer repository stand in for packagist.org.
set_mirror() {
	[[ -z $1 ]] || jq -n --arg url "$1" '{repositories: {"packagist.org": {type: "composer", url: $url}}}' >"$COMPOSER_HOME/config.json"
}
