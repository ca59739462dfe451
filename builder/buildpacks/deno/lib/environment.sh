# shellcheck shell=bash
# The environment deno runs in: config vars, caches.

RESERVED=' PATH HOME PWD OLDPWD IFS SHELL SHELLOPTS BASHOPTS BASH_ENV ENV UID EUID PPID LD_PRELOAD LD_LIBRARY_PATH
 GIT_DIR NODE_PATH NODE_OPTIONS DENO_DIR DENO_HOME BUILDPACK_DIR BUILD_DIR CACHE_DIR ENV_DIR PORT '

load_config_vars() {
	export_config_vars
	# The app finds its modules there when it runs, with or without a network.
	export DENO_DIR=$BUILD_DIR/.heroku/deno_dir
	export DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1 NO_COLOR=1
	if [[ -n ${npm_config_registry:-} ]]; then export NPM_CONFIG_REGISTRY=$npm_config_registry; fi
	# A certificate that the server trusts is trusted by its builds.
	if [[ -n ${SSL_CERT_FILE:-} ]]; then export DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-system,mozilla}; fi
	export npm_config_cache=$CACHE_DIR/npm npm_config_update_notifier=false
}
