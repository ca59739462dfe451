# shellcheck shell=bash
# The environment the tools run in: config vars, mirrors, caches.

# Names a config var may not change during a build: they would break the tools or this script.
RESERVED=' PATH HOME PWD OLDPWD IFS SHELL SHELLOPTS BASHOPTS BASH_ENV ENV UID EUID PPID LD_PRELOAD LD_LIBRARY_PATH GIT_DIR
 PYTHONHOME PYTHONPATH VIRTUAL_ENV BUILDPACK_DIR BUILD_DIR CACHE_DIR ENV_DIR VENV '

# Requirements may name config vars (`${TOKEN}` in an index URL) and Django's settings usually need them.
load_config_vars() {
	export_config_vars
}

set_tool_environment() {
	unset PYTHONHOME PYTHONPATH UV_COMPILE_BYTECODE UV_SYSTEM_PYTHON UV_PYTHON
	# Byte code of the app itself would carry times that the image doesn't keep.
	export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
	export VIRTUAL_ENV=$VENV
	export UV_PROJECT_ENVIRONMENT=$VENV
	export UV_CACHE_DIR=${UV_CACHE_DIR:-$CACHE_DIR/uv}
	# The cache and the app are different mounts, so that hard links can't work.
	export UV_LINK_MODE=copy UV_NO_PROGRESS=1
	follow_pip_settings
	export PATH=$VENV/bin:$PATH
}

# uv doesn't read pip's variables; an explicit UV_* setting wins.
follow_pip_settings() {
	translate PIP_INDEX_URL UV_DEFAULT_INDEX
	translate PIP_EXTRA_INDEX_URL UV_INDEX
	translate PIP_TRUSTED_HOST UV_INSECURE_HOST
	translate PIP_CONSTRAINT UV_CONSTRAINT
	translate PIP_CERT SSL_CERT_FILE
	translate PIP_DEFAULT_TIMEOUT UV_HTTP_TIMEOUT
	# uv refuses a links directory that isn't there, and pip's is often the host's.
	if [[ ${PIP_FIND_LINKS:-} == *://* || -d ${PIP_FIND_LINKS:-} ]]; then
		translate PIP_FIND_LINKS UV_FIND_LINKS
	fi
}

translate() {
	if [[ -n ${!1:-} && -z ${!2:-} ]]; then
		export "$2=${!1}"
	fi
}
