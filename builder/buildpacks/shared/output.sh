# shellcheck shell=bash
# Heroku's output shapes: an arrow for a step, seven spaces for detail, " !     " for trouble.
# What lies in this folder is in the lib folder of every built-in buildpack when it runs.

step() {
	printf -- '-----> %s\n' "$*"
}

detail() {
	printf '       %s\n' "$@"
}

warn() {
	printf ' !     %s\n' "$@"
}

# fail LINE...: say what is wrong and what to do, and end the build.
fail() {
	printf '\n'
	warn "$@"
	printf '\n'
	exit 1
}

# indented COMMAND...: run it with its output as detail, and in the file INDENTED if there is one; its exit status is kept.
indented() {
	"$@" 2>&1 | tee "${INDENTED:-/dev/null}" | sed -u 's/^/       /'
}

# put FILE: what comes in becomes its contents, unless it has them already: a layer whose files are touched is cut anew.
put() {
	local new
	new=$(mktemp)
	cat >"$new"
	cmp -s "$new" "$1" || cp "$new" "$1"
	rm -f "$new"
}
