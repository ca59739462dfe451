# shellcheck shell=bash
# npm, yarn or pnpm, by the lock file or the packageManager field.

choose_manager() {
	local pinned
	pinned=$(field .packageManager)
	pinned=${pinned%%+*}
	MANAGER=npm PIN=""
	if [[ -f pnpm-lock.yaml ]]; then MANAGER=pnpm; elif [[ -f yarn.lock ]]; then MANAGER=yarn; fi
	case $pinned in npm@* | yarn@* | pnpm@*) MANAGER=${pinned%%@*} PIN=${pinned#*@} ;; esac
	case $MANAGER in
	pnpm) tool pnpm "${PIN:-$(pnpm_for_lock)}" pnpm bin/pnpm.cjs ;;
	yarn) choose_yarn ;;
	esac
}

# A lock file of an older pnpm is not understood by the newest one.
pnpm_for_lock() {
	case $(sed -n "s/^lockfileVersion: *'\{0,1\}\([0-9]*\).*/\1/p" pnpm-lock.yaml) in
	5) echo 7 ;;
	6) echo 8 ;;
	*) echo 10 ;;
	esac
}

choose_yarn() {
	local checked_in
	checked_in=$(sed -n 's/^yarnPath: *//p' .yarnrc.yml 2>/dev/null || true)
	BERRY=""
	if grep -q '^__metadata:' yarn.lock 2>/dev/null || [[ ${PIN%%.*} -ge 2 ]]; then BERRY=yes; fi
	if [[ -n $checked_in && -f $checked_in ]]; then
		shim yarn "$BUILD_DIR/$checked_in"
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

# tool PACKAGE VERSION COMMAND SCRIPT: a package manager from the npm registry, kept in the cache.
tool() {
	local home=$CACHE_DIR/tools/${1//\//-}@$2
	if [[ ! -f $home/node_modules/$1/$4 ]]; then
		detail "Fetching $1@$2"
		npm install --silent --no-save --prefix "$home" "$1@$2" ||
			fail "$1@$2 could not be fetched from the npm registry." "Check the packageManager field in package.json."
	fi
	shim "$3" "$home/node_modules/$1/$4"
}

shim() {
	mkdir -p /tmp/tools
	printf '#!/bin/sh\nexec node %s "$@"\n' "$2" >"/tmp/tools/$1"
	chmod +x "/tmp/tools/$1"
	export PATH=/tmp/tools:$PATH
}

builds() { [[ -n $(field '.scripts["heroku-postbuild"]')$(field .scripts.build) ]]; }
has_dev() { [[ $(jq '(.devDependencies // {}) | length' package.json) -gt 0 ]]; }
keeps_dev() { [[ ${NPM_CONFIG_PRODUCTION:-} == false || ${YARN_PRODUCTION:-} == false || ${PNPM_SKIP_PRUNING:-} == true || ${NODE_ENV} != production ]]; }
wants_dev() { builds || keeps_dev; }

# What the installed packages depend on: the manifests, the locks, the runtime, and whether development packages are in.
inputs() {
	{
		cat "$NODE_DIR/version" .npmrc .yarnrc .yarnrc.yml pnpm-workspace.yaml package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml 2>/dev/null || true
		jq -S '{dependencies, devDependencies, optionalDependencies, peerDependencies, overrides, resolutions, workspaces, pnpm, postinstall: .scripts.postinstall, install: .scripts.install, preinstall: .scripts.preinstall}' package.json
		find . -name package.json -not -path '*/node_modules/*' -not -path './.heroku/*' -print0 | sort -z | xargs -0 cat
		echo "$MANAGER $PIN"
		if keeps_dev; then echo dev; fi
	} | sha256sum | cut -d' ' -f1
}

install_packages() {
	INPUTS=$(inputs)
	local installed
	installed=$(cat "$STATE" 2>/dev/null || true)
	if [[ -d node_modules && $installed == "$INPUTS full" ]] || { [[ -d node_modules && $installed == "$INPUTS pruned" ]] && ! wants_dev; }; then
		step "Packages are as in the last build"
		return
	fi
	rm -f "$STATE"
	step "Installing packages with $MANAGER"
	"install_with_$MANAGER" || fail "The packages could not be installed." "What $MANAGER says is above."
	local kind=full
	if ! wants_dev; then kind=pruned; fi
	echo "$INPUTS $kind" >"$STATE"
}

install_with_npm() {
	local omit=(--include=dev) before
	wants_dev || omit=(--omit=dev)
	if [[ ! -f package-lock.json && ! -f npm-shrinkwrap.json ]]; then
		detail "There is no package-lock.json: versions may differ from build to build. Commit one for the same each time."
		indented npm install --no-package-lock "${omit[@]}"
	elif [[ -d node_modules && -f package-lock.json ]]; then
		before=$(sha256sum <package-lock.json)
		cp package-lock.json /tmp/package-lock.json
		indented npm install "${omit[@]}" || return 1
		if [[ $(sha256sum <package-lock.json) != "$before" ]]; then
			cp /tmp/package-lock.json package-lock.json
			indented npm ci "${omit[@]}"
		fi
	else
		indented npm ci "${omit[@]}"
	fi
}

install_with_yarn() {
	if [[ -n ${BERRY:-} ]]; then
		YARN_NODE_LINKER=${YARN_NODE_LINKER:-node-modules} indented yarn install --immutable
	elif wants_dev; then
		indented yarn install --frozen-lockfile --non-interactive --production=false
	else
		indented yarn install --frozen-lockfile --non-interactive --production=true
	fi
}

install_with_pnpm() {
	local production=(--prod=false)
	wants_dev || production=(--prod)
	indented env CI=true pnpm install --frozen-lockfile --store-dir "$CACHE_DIR/pnpm" --package-import-method copy "${production[@]}"
}

# prune: what only the build needed doesn't go into the image.
prune() {
	if keeps_dev || ! wants_dev || ! has_dev; then return; fi
	step "Pruning development packages"
	case $MANAGER in
	npm) indented npm prune --omit=dev ;;
	pnpm) indented env CI=true pnpm prune --prod --ignore-scripts ;;
	yarn) if [[ -z ${BERRY:-} ]]; then indented yarn install --frozen-lockfile --non-interactive --production=true --ignore-scripts --prefer-offline; else return 0; fi ;;
	esac
	echo "$INPUTS pruned" >"$STATE"
}
