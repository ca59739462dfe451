# shellcheck shell=bash
# The environment the tools run in: config vars, caches.

RESERVED=' PATH HOME PWD OLDPWD IFS SHELL SHELLOPTS BASHOPTS BASH_ENV ENV UID EUID PPID LD_PRELOAD LD_LIBRARY_PATH
 GIT_DIR NODE_PATH NODE_OPTIONS BUILDPACK_DIR BUILD_DIR CACHE_DIR ENV_DIR NODE_DIR STATE PORT '

check_package_json() {
	jq -e 'type == "object"' package.json >/dev/null 2>&1 ||
		fail "package.json is not valid JSON." "Mend it (npx jsonlint package.json shows where), commit, and push again."
}

load_config_vars() {
	export_config_vars
	export NODE_ENV=${NODE_ENV:-production}
	export npm_config_cache=$CACHE_DIR/npm npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
	export YARN_CACHE_FOLDER=$CACHE_DIR/yarn YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_GLOBAL_CACHE=false
	export COREPACK_HOME=$CACHE_DIR/corepack COREPACK_ENABLE_DOWNLOAD_PROMPT=0
	[[ -z ${npm_config_registry:-} ]] || export COREPACK_NPM_REGISTRY=$npm_config_registry
}

# field FILTER: a value of package.json, "" when it isn't there.
field() { jq -r "$1 // \"\" | if type == \"string\" then . else \"\" end" package.json; }
