# shellcheck shell=bash
# Sourced when a process starts. A config var of the same name wins, but for PATH.
for JAVA_HOME in /usr/lib/jvm/java-@MAJOR@-openjdk-*; do break; done
export JAVA_HOME
export PATH="$JAVA_HOME/bin:$PATH"
export LANG=${LANG:-C.UTF-8}

# Memory: the heap's share of what the container may use, unless a config var says how large it is.
case "${JAVA_TOOL_OPTIONS:-} ${JAVA_OPTS:-}" in
*-Xmx* | *MaxRAMPercentage* | *MaxHeapSize*) _options="" ;;
*)
	_memory=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
	# "max" (cgroup v2) and a number beyond a terabyte (v1) both mean: no limit.
	if [ "${_memory:-max}" = max ] || [ "${#_memory}" -gt 13 ]; then
		_options=""
	elif [ "$_memory" -le 536870912 ]; then
		_options="-Xmx$((_memory * 58 / 100 / 1048576))m -Xss512k -XX:CICompilerCount=2"
	elif [ "$_memory" -le 1073741824 ]; then
		_options="-Xmx$((_memory * 65 / 100 / 1048576))m -Xss512k"
	else
		_options="-Xmx$((_memory * 80 / 100 / 1048576))m"
	fi
	;;
esac
export JAVA_TOOL_OPTIONS="$_options${JAVA_TOOL_OPTIONS:+ $JAVA_TOOL_OPTIONS} -Dfile.encoding=UTF-8"
export JAVA_OPTS=${JAVA_OPTS-$_options}
unset _options _memory

# JDBC_DATABASE_URL and its like, from DATABASE_URL and its like.
case "$(compgen -e)" in
*_URL*) eval "$(python3 -IBS /app/.heroku/java/jdbc.py)" ;;
esac
