# shellcheck shell=bash
# Apps whose build script leaves a site of files: built in the cache, served by Caddy, with no Node in the image.

SITE_DIR=$(readlink -f "$BUILDPACK_DIR")/../static
# shellcheck source=/dev/null
source "$SITE_DIR/lib/serve.sh"
# shellcheck source=/dev/null
source "$BUILDPACK_DIR/lib/start.sh"

# is_site: a build script, and nothing that says how to start a server, neither the app nor a buildpack after this one.
is_site() {
	[[ -z ${MOTHERSHIP_FOLLOWED:-} ]] || return 1
	builds || return 1
	if declares_web || [[ -f server.js ]]; then return 1; fi
	[[ ! -f static.json ]] || return 0
	if makes_server; then return 1; fi
	[[ -z $(field .scripts.start) ]] || starts_for_development || exports_pages
}

# work_aside: build in a copy of the app in the cache, where the packages stay.
work_aside() {
	WORK_DIR=$CACHE_DIR/site
	rm -rf "$BUILD_DIR/.heroku/node" "$BUILD_DIR/.heroku/bun" "$BUILD_DIR/node_modules"
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
	local why="package.json has a build script and no start script for a server, and the build left no index.html to serve." start
	start=$(server_left)
	if [[ -n $start ]]; then
		fail "$why" "It made a server. Add what starts it to the scripts of package.json:" "  \"start\": \"$start\""
	fi
	if [[ -d .svelte-kit ]]; then
		fail "$why" "SvelteKit's adapter decides what its build makes. For a server: npm install -D @sveltejs/adapter-node," \
			"and import it in svelte.config.js in place of the one that is there. For a site: @sveltejs/adapter-static."
	fi
	fail "$why" "Looked in: dist, build, out, _site, www, .output/public, public, build/client, .vitepress/dist, docs/.vitepress/dist" \
		"A site in another folder: {\"root\": \"FOLDER\"} in static.json. A server: a start script in package.json, or a Procfile."
}
