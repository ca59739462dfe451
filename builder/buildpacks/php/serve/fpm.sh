# shellcheck shell=bash
# PHP-FPM's part: its settings, and as many workers as the memory holds.

# workers: WEB_CONCURRENCY, else the container's memory divided by PHP's memory_limit.
workers() {
	local memory limit
	if [[ ${WEB_CONCURRENCY:-} =~ ^[1-9][0-9]*$ ]]; then
		echo "$WEB_CONCURRENCY"
		return
	fi
	memory=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
	# "max" (cgroup v2) and a number beyond a terabyte (v1) both mean: no limit.
	[[ $memory =~ ^[0-9]{1,13}$ ]] || memory=536870912
	limit=$(php ${INI:+-c "$INI"} -d memory_limit="$(user_ini memory_limit)" -r 'echo ini_parse_quantity(ini_get("memory_limit"));' 2>/dev/null)
	[[ $limit =~ ^[1-9][0-9]*$ ]] || limit=134217728
	memory=$((memory / limit))
	echo $((memory < 1 ? 1 : memory > 256 ? 256 : memory))
}

# user_ini NAME: a setting of the document root's .user.ini, else the one of PHP's own configuration.
user_ini() {
	local value
	value=$(sed -n "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*\"\{0,1\}\([^\";[:space:]]*\).*/\1/p" "$ROOT/.user.ini" 2>/dev/null | tail -n 1)
	echo "${value:-$(php ${INI:+-c "$INI"} -r "echo ini_get('$1');" 2>/dev/null)}"
}

write_fpm_config() {
	local count
	count=$(workers)
	cat <<-CONFIG
		[global]
		error_log = /proc/self/fd/2
		daemonize = no
		log_limit = 16384
		log_level = warning
		process_control_timeout = 20
		[www]
		listen = $RUN/fpm.sock
		pm = dynamic
		pm.max_children = $count
		pm.start_servers = $((count < 2 ? count : 2))
		pm.min_spare_servers = 1
		pm.max_spare_servers = $((count < 3 ? count : 3))
		catch_workers_output = yes
		decorate_workers_output = no
		clear_env = no
		${FPM:+include = $(realpath -- "$FPM")}
	CONFIG
}

run_fpm() { exec "$(compgen -G '/usr/sbin/php-fpm[0-9]*' | head -n 1)" --nodaemonize --fpm-config "$RUN/fpm.conf" ${INI:+-c "$INI"}; }
