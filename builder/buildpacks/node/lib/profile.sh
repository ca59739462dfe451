# shellcheck shell=bash
# What the app finds when it runs, and what later buildpacks find.

write_profile() {
	mkdir -p "$BUILD_DIR/.profile.d"
	cat >"$BUILD_DIR/.profile.d/nodejs.sh" <<-'PROFILE'
		export PATH="/app/.heroku/node/tools/bin:/app/.heroku/node/bin:/app/node_modules/.bin:$PATH"
		export NODE_HOME=/app/.heroku/node NODE_ENV=${NODE_ENV:-production}
		if [ -f /app/dist/server/entry.mjs ]; then
			# Astro's server, which listens for its own machine alone by default.
			export HOST=${HOST:-0.0.0.0}
		fi
		if [ -f /app/.pnp.cjs ]; then
			export NODE_OPTIONS="--require /app/.pnp.cjs ${NODE_OPTIONS:-}"
		fi
		if [ -z "${WEB_CONCURRENCY:-}" ]; then
			memory=$(cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null | head -n 1)
			case $memory in *[!0-9]* | '') memory=536870912 ;; esac
			memory=$((memory / 1048576))
			[ "$memory" -le 16384 ] || memory=512
			export MEMORY_AVAILABLE=$memory WEB_MEMORY=${WEB_MEMORY:-512}
			WEB_CONCURRENCY=$((memory / WEB_MEMORY))
			[ "$WEB_CONCURRENCY" -ge 1 ] || WEB_CONCURRENCY=1
			export WEB_CONCURRENCY
		fi
	PROFILE
	printf 'export PATH="%s/bin:%s/node_modules/.bin:$PATH"\n' "$NODE_DIR/tools/bin:$NODE_DIR" "$BUILD_DIR" >"$BUILDPACK_DIR/export"
	decide_web "$NODE_DIR/web"
}
