# shellcheck shell=bash
# npm, yarn or pnpm, by the lock file or the packageManager field; its version by that field or by engines.

choose_manager() {
	local pinned
	pinned=$(field .packageManager)
	pinned=${pinned%%+*}
	MANAGER=npm PIN=""
	if [[ -f pnpm-lock.yaml ]]; then MANAGER=pnpm; elif [[ -f yarn.lock ]]; then MANAGER=yarn; fi
	case $pinned in npm@* | yarn@* | pnpm@*) MANAGER=${pinned%%@*} PIN=${pinned#*@} ;; esac
	PIN=${PIN:-$(field ".engines.$MANAGER")}
	case $MANAGER in
	npm) choose_npm ;;
	pnpm) tool pnpm "${PIN:-$(pnpm_for_lock)}" pnpm bin/pnpm.cjs ;;
	yarn) choose_yarn ;;
	esac
}

# The npm that comes with Node does for any version it meets.
choose_npm() {
	if [[ -n $PIN ]] && ! semver --range "$PIN" "$(npm --version)"; then
		tool npm "$PIN" npm bin/npm-cli.js
		shim npx "$TOOL/bin/npx-cli.js"
	fi
}

# A lock file of an older pnpm is not understood by the newest one.
pnpm_for_lock() {
	case $(sed -n "s/^lockfileVersion: *'\{0,1\}\([0-9]*\).*/\1/p" pnpm-lock.yaml 2>/dev/null) in
	5) echo 7 ;;
	6) echo 8 ;;
	*) echo 10 ;;
	esac
}

choose_yarn() {
	local checked_in
	checked_in=$(sed -n 's/^yarnPath: *//p' .yarnrc.yml 2>/dev/null || true)
	BERRY="" PNP=""
	if grep -q '^__metadata:' yarn.lock 2>/dev/null || [[ ${PIN//[^0-9.]/} =~ ^([2-9]|[1-9][0-9]) ]]; then BERRY=yes; fi
	if [[ -n $BERRY ]] && { grep -q '^nodeLinker: *pnp' .yarnrc.yml 2>/dev/null || [[ -f .pnp.cjs ]]; }; then PNP=yes; fi
	if [[ -n $checked_in && -f $checked_in ]]; then
		shim yarn "\$HOME/$checked_in" "$PWD/$checked_in"
	elif [[ -n $BERRY ]]; then
		tool @yarnpkg/cli-dist "${PIN:-$(yarn_for_lock)}" yarn bin/yarn.js
	else
		tool yarn "${PIN:-1}" yarn bin/yarn.js
	fi
}

# A newer yarn would rewrite an older lock file, which a build must not.
yarn_for_lock() {
	case $(sed -n '/^__metadata:/,/^$/s/^ *version: *//p' yarn.lock 2>/dev/null) in
	4) echo 2 ;;
	5 | 6) echo 3 ;;
	8) echo 4.5.3 ;;
	*) echo 4 ;;
	esac
}

# tool PACKAGE VERSION COMMAND SCRIPT: a package manager from the npm registry, kept beside Node: a Procfile may use it.
# Sets TOOL to its folder.
tool() {
	local name=${1//\//-} home
	home=$NODE_DIR/tools/$name
	TOOL=$home/node_modules/$1
	if [[ ! -f $TOOL/$4 || $(cat "$home/version" 2>/dev/null) != "$2" ]]; then
		detail "Fetching $1@$2"
		rm -rf "$home"
		npm install --silent --no-save --global=false --prefix "$home" "$1@$2" ||
			fail "$1@$2 could not be fetched from the npm registry." "Check packageManager and engines in package.json."
		echo "$2" >"$home/version"
	fi
	shim "$3" "$TOOL/$4"
}

# shim COMMAND SCRIPT [SCRIPT_NOW]: a command that runs a script with Node, in the app (where HOME is /app) and now.
shim() {
	mkdir -p "$NODE_DIR/tools/bin" /tmp/tools
	printf '#!/bin/sh\nexec node "%s" "$@"\n' "$2" >"/tmp/tools/$1.new"
	cmp -s "/tmp/tools/$1.new" "$NODE_DIR/tools/bin/$1" || cp "/tmp/tools/$1.new" "$NODE_DIR/tools/bin/$1"
	printf '#!/bin/sh\nexec node "%s" "$@"\n' "${3:-$2}" >"/tmp/tools/$1"
	chmod +x "/tmp/tools/$1" "$NODE_DIR/tools/bin/$1"
	export PATH=/tmp/tools:$PATH
}
