# shellcheck shell=bash
# Folders that a build script fills and the next one finds again: `cacheDirectories` in package.json, and Next.js's.

cached_directories() {
	jq -r '(.cacheDirectories // .cache_directories // []) | if type == "array" then .[] | strings else empty end' package.json |
		sed 's#/*$##' | grep -vE '^/|(^|/)\.\.(/|$)|(^|/)node_modules$|^$' || true
	# Its server needs no build cache: it doesn't go into the image.
	[[ ! -d .next/cache && ! -d $CACHE_DIR/directories/.next/cache ]] || echo .next/cache
}

restore_caches() {
	local directory
	if [[ ${NODE_MODULES_CACHE:-} == false ]]; then
		rm -rf "$CACHE_DIR/directories"
	fi
	while read -r directory; do
		if [[ -d $CACHE_DIR/directories/$directory && ! -e $directory ]]; then
			detail "Restoring $directory from the cache"
			mkdir -p "$directory"
			cp -a "$CACHE_DIR/directories/$directory/." "$directory/"
		fi
	done < <(cached_directories | sort -u)
}

save_caches() {
	local directory
	while read -r directory; do
		if [[ -d $directory ]]; then
			mkdir -p "$CACHE_DIR/directories/$directory"
			rsync -a --delete "$directory/" "$CACHE_DIR/directories/$directory/"
			[[ $directory != .next/cache ]] || rm -rf "$directory"
		fi
	done < <(cached_directories | sort -u)
}
