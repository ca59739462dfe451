# shellcheck shell=bash
# What the app finds when it runs, and what later buildpacks find.

write_profile() {
	mkdir -p .profile.d
	cat >.profile.d/bun.sh <<-'PROFILE'
		export PATH="/app/.heroku/bun/bin:/app/.heroku/node/bin:/app/node_modules/.bin:$PATH"
		export NODE_ENV=${NODE_ENV:-production}
	PROFILE
	printf 'export PATH="%s/bin:%s/node_modules/.bin:$PATH"\n' "$BUN_DIR" "$BUILD_DIR" >"$BUILDPACK_DIR/export"
	shrink_cache
}

# Packages are quick to download again.
shrink_cache() {
	local kilobytes
	kilobytes=$(du -sk "$BUN_INSTALL_CACHE_DIR" 2>/dev/null | cut -f1)
	if ((${kilobytes:-0} > 2 * 1024 * 1024)); then rm -rf "$BUN_INSTALL_CACHE_DIR"; fi
}
