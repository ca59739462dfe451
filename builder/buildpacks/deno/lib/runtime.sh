# shellcheck shell=bash
# The deno binary, from the npm registry, where Deno publishes it (@deno/linux-*).

# Sets WANTED and SOURCE.
read_version() {
	WANTED=${DENO_VERSION:-} SOURCE="the config var DENO_VERSION"
	local file
	for file in .deno-version .dvmrc; do
		if [[ -z $WANTED && -f $file ]]; then WANTED=$(first_word "$file") SOURCE=$file; fi
	done
	if [[ -z $WANTED ]]; then WANTED=$(from_tool_versions deno) SOURCE=.tool-versions; fi
	WANTED=${WANTED#v}
	case $WANTED in latest | stable | lts) WANTED='' ;; esac
}

deno_package() { if [[ $(dpkg --print-architecture) == arm64 ]]; then echo @deno/linux-arm64-glibc; else echo @deno/linux-x64-glibc; fi; }

install_deno() {
	local package version question
	read_version
	package=$(deno_package)
	question="$package ${WANTED:-2.x}"
	if ! asked_lately "$CACHE_DIR/version" "$question"; then
		if version=$(newest "$package" "${WANTED:-2.x}"); then
			printf '%s\n%s\n' "$question" "$version" >"$CACHE_DIR/version"
		elif [[ -n $version ]] || ! asked_before "$CACHE_DIR/version" "$question"; then
			fail_version "$version"
		fi
	fi
	VERSION=$(sed -n 2p "$CACHE_DIR/version")
	step "Using Deno $VERSION${WANTED:+, as $SOURCE asks for $WANTED}"
	if [[ $(cat "$DENO_HOME/version" 2>/dev/null) != "$VERSION" ]]; then
		detail "Fetching $package $VERSION from the npm registry"
		rm -rf "$DENO_HOME"
		fetch "$package" "$VERSION" deno "$DENO_HOME/bin/deno" ||
			fail "Deno $VERSION could not be fetched from the npm registry." "Push again."
		echo "$VERSION" >"$DENO_HOME/version"
	fi
	export PATH=$DENO_HOME/bin:$PATH
}

fail_version() {
	if [[ -z $1 ]]; then
		indented cat /tmp/registry.log
		fail "The npm registry doesn't say which versions of Deno there are." "Push again; the reason is above."
	fi
	fail "There is no Deno \"$WANTED\" to be had, which $SOURCE asks for." "The newest of each series: $1"
}
