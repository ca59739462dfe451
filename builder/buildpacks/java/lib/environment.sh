# shellcheck shell=bash
# The environment the tools run in: config vars, caches, proxies.

# JAVA_TOOL_OPTIONS and JAVA_OPTS are meant for the running app; a build has MAVEN_JAVA_OPTS and GRADLE_OPTS.
RESERVED=' PATH HOME PWD OLDPWD IFS SHELL SHELLOPTS BASHOPTS BASH_ENV ENV UID EUID PPID LD_PRELOAD LD_LIBRARY_PATH
 GIT_DIR JAVA_HOME JAVA_OPTS JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS CLASSPATH BUILDPACK_DIR BUILD_DIR CACHE_DIR ENV_DIR PORT '

load_config_vars() {
	export_config_vars
	# What tools keep in the home directory is kept for the next build, and stays out of the image.
	export HOME=$CACHE_DIR
	export MAVEN_USER_HOME=$CACHE_DIR/.m2 GRADLE_USER_HOME=$CACHE_DIR/.gradle
	JAVA_TOOL_OPTIONS="-Duser.home=$CACHE_DIR $(proxy_options)"
	export JAVA_TOOL_OPTIONS
}

# Java knows properties only, not HTTP_PROXY and HTTPS_PROXY ("Networking Properties", java.net).
proxy_options() {
	local scheme value
	for scheme in http https; do
		value=${scheme}_proxy
		value=${!value:-}
		[[ -n $value ]] || { value=${scheme^^}_PROXY && value=${!value:-}; }
		if [[ $value =~ ^(https?://)?([^/:@]+):([0-9]+)/?$ ]]; then
			printf -- '-D%s.proxyHost=%s -D%s.proxyPort=%s ' "$scheme" "${BASH_REMATCH[2]}" "$scheme" "${BASH_REMATCH[3]}"
		fi
	done
	value=${no_proxy:-${NO_PROXY:-}}
	[[ -z $value ]] || printf -- '-Dhttp.nonProxyHosts=%s' "$(tr -d ' ' <<<"$value" | sed 's/,/|/g; s/\(^\||\)\./\1*./g')"
}

# words TEXT: its words, one a line, quoted ones as one.
words() { xargs -r -n 1 printf '%s\n' <<<"$1"; }

# talk COMMAND...: run it indented, without what every JVM says about its options.
talk() { "$@" 2>&1 </dev/null | sed -u '/^Picked up JAVA_TOOL_OPTIONS/d; s/^/       /'; }
