# shellcheck shell=bash
# The environment the tools run in: config vars, caches.

RESERVED=' PATH HOME PWD OLDPWD IFS SHELL SHELLOPTS BASHOPTS BASH_ENV ENV UID EUID PPID LD_PRELOAD LD_LIBRARY_PATH
 GIT_DIR NODE_PATH NODE_OPTIONS BUN_OPTIONS BUN_INSTALL BUILDPACK_DIR BUILD_DIR CACHE_DIR ENV_DIR BUN_DIR NODE_DIR STATE PORT '

check_package_json() {
	jq -e 'type == "object"' package.json >/dev/null 2>&1 ||
		fail "package.json is not valid JSON." "Mend it (npx jsonlint package.json shows where), commit, and push again."
}

load_config_vars() {
	export_config_vars
	export NODE_ENV=${NODE_ENV:-production}
	export BUN_INSTALL_CACHE_DIR=$CACHE_DIR/packages DO_NOT_TRACK=1
	export npm_config_cache=$CACHE_DIR/npm npm_config_update_notifier=false
}

# field FILTER: a value of package.json, "" when it isn't there.
field() { jq -r "$1 // \"\" | if type == \"string\" then . else \"\" end" package.json; }
