# shellcheck shell=bash
# The environment go runs in: config vars, caches, credentials.

RESERVED=' PATH HOME PWD OLDPWD IFS SHELL SHELLOPTS BASHOPTS BASH_ENV ENV UID EUID PPID LD_PRELOAD LD_LIBRARY_PATH GIT_DIR
 BUILDPACK_DIR BUILD_DIR CACHE_DIR ENV_DIR GOROOT GOPATH GOBIN GOCACHE GOMODCACHE GOOS GOARCH GOENV GOTOOLCHAIN
 GOMAXPROCS GOMEMLIMIT GODEBUG GIT_CONFIG_COUNT PORT '

load_config_vars() {
	local name
	export_config_vars
	# What cgo is told may name the app's own folders.
	for name in ${!CGO_@} ${!GOFLAGS@}; do
		printf -v "$name" '%s' "${!name//'${build_dir}'/$BUILD_DIR}"
	done
}

set_go_environment() {
	export GOENV=off GOTELEMETRY=off
	export GOPATH=$CACHE_DIR/path GOCACHE=$CACHE_DIR/build
	if [[ ${GO_SETUP_GOPATH_FOR_MODULE_CACHE:-} == true ]]; then GOPATH=$BUILD_DIR/.heroku/go-path; fi
	export GOMODCACHE=$GOPATH/pkg/mod
	local number=${GIT_CONFIG_COUNT:-0}
	export "GIT_CONFIG_KEY_$number=credential.helper"
	export "GIT_CONFIG_VALUE_$number=!bash '$BUILDPACK_DIR/lib/credentials.sh'"
	export GIT_CONFIG_COUNT=$((number + 1)) ENV_DIR
}

# A module cache that its owner can't write to can't be cleared either. Go 1.14 was the first that knows the flag.
keep_modules_writable() {
	if [[ $(printf '%s\n' "$VERSION" 1.14 | sort -V | head -n 1) == 1.14 ]]; then
		export GOFLAGS="${GOFLAGS:-} -modcacherw"
	fi
}
