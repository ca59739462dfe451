# shellcheck shell=bash
# The environment the tools run in: config vars, caches, Bundler's settings.

RESERVED=' PATH HOME PWD OLDPWD IFS SHELL SHELLOPTS BASHOPTS BASH_ENV ENV UID EUID PPID LD_PRELOAD LD_LIBRARY_PATH
 GIT_DIR GEM_HOME GEM_PATH RUBYLIB RUBYOPT BUNDLE_PATH BUNDLE_APP_CONFIG BUNDLE_BIN BUNDLE_FROZEN NODE_PATH
 BUILDPACK_DIR BUILD_DIR CACHE_DIR ENV_DIR RUBY_DIR PORT '

load_config_vars() {
	# Names such as BUNDLE_GEMS__EXAMPLE__COM hold credentials, and one of a mirror may hold a whole address.
	export_config_vars
	export RAILS_ENV=${RAILS_ENV:-production} RACK_ENV=${RACK_ENV:-production} NODE_ENV=${NODE_ENV:-production}
	export LANG=C.UTF-8
}

# A .bundle/config of somebody's machine says where gems lie there; what else it says is kept.
set_bundler_environment() {
	export BUNDLE_APP_CONFIG=$RUBY_DIR/bundle
	mkdir -p "$BUNDLE_APP_CONFIG"
	{
		echo "---"
		sed -E '/^(---|BUNDLE_(PATH|APP_CONFIG|WITHOUT|WITH|ONLY|DEPLOYMENT|FROZEN|BIN|SHEBANG|SYSTEM_BINDIR|CLEAN|JOBS|CACHE_PATH|DISABLE_SHARED_GEMS)(__[A-Z_]+)?:)/d' .bundle/config 2>/dev/null || true
	} >"$BUNDLE_APP_CONFIG/config"
	export BUNDLE_PATH=$BUILD_DIR/vendor/bundle BUNDLE_DEPLOYMENT=true BUNDLE_CLEAN=true
	export BUNDLE_WITHOUT=${BUNDLE_WITHOUT-development:test}
	export BUNDLE_USER_HOME=$CACHE_DIR/bundle BUNDLE_RETRY=${BUNDLE_RETRY:-2} BUNDLE_IGNORE_MESSAGES=true
	export BUNDLE_JOBS=${BUNDLE_JOBS:-4} MAKEFLAGS=${MAKEFLAGS:--j$(nproc)}
}

# has GEM: is it in the bundle?
has() { grep -qE "^ {4}$1 \(" Gemfile.lock; }
