# shellcheck shell=bash
# Sourced when a process starts. A config var of the same name wins.
export PATH="$PATH:$HOME/bin"
if [ -x "$HOME/.heroku/go/bin/go" ]; then
	export GOROOT="$HOME/.heroku/go" PATH="$PATH:$HOME/.heroku/go/bin"
fi

# The collector works harder before the container's memory ends (runtime, "Environment Variables"); a tenth is left for
# what isn't the heap. Go knows its share of the processors by itself since 1.25.
if [ -z "${GOMEMLIMIT:-}" ]; then
	_memory=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
	if [ "${_memory:-max}" != max ] && [ "${#_memory}" -le 13 ]; then
		export GOMEMLIMIT=$((_memory / 10 * 9))
	fi
	unset _memory
fi
