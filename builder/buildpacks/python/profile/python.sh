# shellcheck shell=bash
# Sourced when a process starts. A config var of the same name wins, but for PATH and FORWARDED_ALLOW_IPS.
export PATH="$HOME/.heroku/python/bin:$PATH"
export PYTHONUNBUFFERED=${PYTHONUNBUFFERED:-true}
export PYTHONPATH=${PYTHONPATH-$HOME}
export LANG=${LANG:-C.UTF-8}
# The proxy is the only way in.
export FORWARDED_ALLOW_IPS=${FORWARDED_ALLOW_IPS:-*}
# Workers prove that they live by touching a file, which must not wait for a disk.
export GUNICORN_CMD_ARGS=${GUNICORN_CMD_ARGS:---access-logfile - --worker-tmp-dir /dev/shm}

# Server processes: 256 MB for each, at most two per core and one more.
if [ -z "${WEB_CONCURRENCY:-}" ]; then
	_memory=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
	_cores=$(nproc)
	{ read -r _quota _period </sys/fs/cgroup/cpu.max; } 2>/dev/null || {
		_quota=$(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null)
		_period=100000
	}
	if [ "${_quota:-0}" -gt 0 ] 2>/dev/null; then
		_limit=$(((_quota + _period - 1) / _period))
		_cores=$((_limit < _cores ? _limit : _cores))
	fi
	WEB_CONCURRENCY=$((_cores * 2 + 1))
	# "max" (cgroup v2) and a number beyond a terabyte (v1) both mean: no limit.
	if [ "${_memory:-max}" != max ] && [ "${#_memory}" -le 13 ]; then
		_fit=$((_memory / 268435456))
		WEB_CONCURRENCY=$((_fit < WEB_CONCURRENCY ? _fit : WEB_CONCURRENCY))
	fi
	export WEB_CONCURRENCY=$((WEB_CONCURRENCY > 0 ? WEB_CONCURRENCY : 1))
	unset _memory _cores _quota _period _limit _fit
fi
