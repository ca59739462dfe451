# shellcheck shell=bash
# Apps whose build script leaves a site of files: built in the cache, served by Caddy, with no Node in the image.

SITE_DIR=$(readlink -f "$BUILDPACK_DIR")/../static
# shellcheck source=/dev/null
source "$SITE_DIR/lib/serve.sh"

# is_site: a build script, and nothing that says how to start a server, neither the app nor a buildpack after this one.
is_site() {
	[[ -z ${MOTHERSHIP_FOLLOWED:-} ]] || return 1
	builds || return 1
	if grep -qsE '^web[[:space:]]*:' Procfile || [[ -f server.js ]]; then return 1; fi
	[[ -f static.json || -z $(field .scripts.start) ]] || starts_for_development
}

# Tools that watch sources are no servers, and production lacks them.
starts_for_development() {
	[[ $(field .scripts.start) =~ ^(npm run (dev|preview)|vite|vite (dev|serve|preview)|react-scripts start|vue-cli-service serve|ng serve|astro (dev|preview)|gatsby develop|parcel( serve)?)( .*)?$ ]]
}

# work_aside: build in a copy of the app in the cache, where the packages stay.
work_aside() {
	WORK_DIR=$CACHE_DIR/site
	rm -rf "$BUILD_DIR/.heroku/node"
	rm -rf "$BUILD_DIR/node_modules"
	mkdir -p "$WORK_DIR"
	rsync -a --delete --exclude=node_modules --exclude=/.heroku --exclude=/.profile.d "$BUILD_DIR/" "$WORK_DIR/"
	NODE_DIR=$CACHE_DIR/runtime STATE=$CACHE_DIR/runtime/packages.sha
	cd "$WORK_DIR"
}

publish_site() {
	local folder
	folder=$(site_folder "$WORK_DIR")
	if [[ ! -f $WORK_DIR/$folder/index.html && -z $(field_of static.json .root) ]] || [[ $folder == . && ! -f static.json ]]; then
		fail_no_site
	fi
	if [[ $folder == . ]]; then
		rsync -a --exclude=node_modules "$WORK_DIR/" "$BUILD_DIR/"
	else
		mkdir -p "$BUILD_DIR/$folder"
		rsync -a --delete "$WORK_DIR/$folder/" "$BUILD_DIR/$folder/"
	fi
	cd "$BUILD_DIR"
	serve_site
	# shellcheck disable=SC2016
	printf 'export PATH="%s/bin:$PATH"\n' "$NODE_DIR" >"$BUILDPACK_DIR/export"
}

field_of() { jq -r "$2 // \"\"" "$1" 2>/dev/null || true; }

fail_no_site() {
	local why="package.json has a build script and no start script, and the build left no index.html to serve." start=""
	[[ ! -f .output/server/index.mjs ]] || start="node .output/server/index.mjs"
	[[ ! -f build/index.js ]] || start="node build"
	[[ ! -f dist/server/entry.mjs ]] || start="node dist/server/entry.mjs"
	[[ ! -f .next/BUILD_ID ]] || start="next start -p \$PORT"
	if [[ -n $start ]]; then
		fail "$why" "It made a server. Add what starts it to the scripts of package.json:" "  \"start\": \"$start\""
	fi
	fail "$why" "Looked in: dist, build, out, .output/public, public" \
		"A site in another folder: {\"root\": \"FOLDER\"} in static.json. A server: a start script in package.json, or a Procfile."
}
