# shellcheck shell=bash
# What the app finds when it runs, and what later buildpacks find.

write_profile() {
	mkdir -p .profile.d
	cp "$BUILDPACK_DIR/profile/go.sh" .profile.d/go.sh
	printf 'export GOROOT=%q GOPATH=%q GOCACHE=%q PATH=%q:%q:"$PATH"\n' \
		"$GOROOT" "$GOPATH" "$GOCACHE" "$GOROOT/bin" "$BUILD_DIR/bin" >"$BUILDPACK_DIR/export"
	shrink_cache
}

# keep_tools: the toolchain in the image, for apps that compile while they run.
keep_tools() {
	local home=$BUILD_DIR/.heroku/go
	if [[ ${GO_INSTALL_TOOLS_IN_IMAGE:-} != true ]]; then
		rm -rf "$home"
	elif [[ ! -f $home/VERSION || $(version_of "$home") != "$VERSION" ]]; then
		rm -rf "$home"
		mkdir -p "$home"
		cp -r "$GOROOT/." "$home"
	fi
	if [[ ${GO_SETUP_GOPATH_FOR_MODULE_CACHE:-} != true ]]; then rm -rf "$BUILD_DIR/.heroku/go-path"; fi
}

# Modules are quick to fetch again; go trims its build cache itself.
shrink_cache() {
	local kilobytes
	kilobytes=$(du -sk "$CACHE_DIR/path" 2>/dev/null | cut -f1)
	if ((${kilobytes:-0} > 2 * 1024 * 1024)); then go clean -modcache; fi
}
