# shellcheck shell=bash
# Install the packages, only when what decides them has changed; and prune what only the build needed.

builds() { [[ -n $(field '.scripts["heroku-postbuild"]')$(field .scripts.build) ]]; }
has_dev() { [[ $(jq '(.devDependencies // {}) | length' package.json) -gt 0 ]]; }
keeps_dev() { [[ ${NPM_CONFIG_PRODUCTION:-} == false || ${YARN_PRODUCTION:-} == false || ${PNPM_SKIP_PRUNING:-} == true || ${YARN2_SKIP_PRUNING:-} == true || ${NODE_ENV} != production ]]; }
# installs [FILE]: has a package.json scripts of its own that an installation runs?
installs() {
	jq -e '.scripts // {} | .preinstall // .install // .postinstall // .preprepare // .prepare // .postprepare' "${1:-package.json}" >/dev/null 2>&1
}
wants_dev() { builds || installs || keeps_dev; }

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
	if [[ ${NODE_MODULES_CACHE:-} == false ]] || members_are_built; then
		rm -rf node_modules "$STATE"
	fi
	installed=$(cat "$STATE" 2>/dev/null || true)
	if has_packages && { [[ $installed == "$INPUTS full" ]] || { [[ $installed == "$INPUTS pruned" ]] && ! wants_dev; }; }; then
		step "Packages are as in the last build"
		return
	fi
	rm -f "$STATE"
	step "Installing packages with $MANAGER"
	INDENTED=/tmp/install.log "install_with_$MANAGER" || fail_install
	local kind=full
	if ! wants_dev; then kind=pruned; fi
	echo "$INPUTS $kind" >"$STATE"
}

fail_install() {
	if grep -qE 'EUSAGE|ERR_PNPM_OUTDATED_LOCKFILE|lockfile needs to be updated|YN0028' /tmp/install.log; then
		fail "The packages could not be installed: the lock file is not up to date with package.json." \
			"Run $MANAGER install, commit the lock file, and push again."
	fi
	fail "The packages could not be installed." "What $MANAGER says is above."
}

# has_packages: are they there, or are there none to have?
has_packages() {
	[[ -d node_modules ]] || jq -e '[.dependencies, .devDependencies, .optionalDependencies, .peerDependencies, .workspaces] |
		all(. == null or length == 0)' package.json >/dev/null 2>&1
}

# members_are_built: workspaces whose own install scripts leave files beside their source, which no build inherits.
members_are_built() {
	local member
	while IFS= read -r -d '' member; do
		if [[ -f ${member%package.json}binding.gyp ]] || installs "$member"; then
			return 0
		fi
	done < <(find . -mindepth 2 -name package.json -not -path '*/node_modules/*' -not -path './.heroku/*' -print0)
	return 1
}

# locked FILE YES NO: how to install with a lock file and how without.
locked() { if [[ -f $1 ]]; then echo "$2"; else echo "$3"; fi; }

say_unlocked() {
	detail "There is no $1: versions may differ from build to build. Commit one for the same each time."
}

# npm 7 was the first that knows --omit and --include.
npm_is_old() { [[ $(npm --version) == [1-6].* ]]; }

install_with_npm() {
	local omit=(--include=dev) before
	wants_dev || omit=(--omit=dev)
	if npm_is_old; then omit=(--production="$(wants_dev && echo false || echo true)"); fi
	if [[ ! -f package-lock.json && ! -f npm-shrinkwrap.json ]]; then
		say_unlocked package-lock.json
		indented npm install --no-package-lock "${omit[@]}"
	elif [[ ${USE_NPM_INSTALL:-} == true ]]; then
		indented npm install "${omit[@]}"
	elif [[ -d node_modules && -f package-lock.json ]] && ! npm_is_old; then
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
	[[ -f yarn.lock ]] || say_unlocked yarn.lock
	if [[ -n ${BERRY:-} ]]; then
		set_linker
		[[ -z $PNP ]] || take_pnp_cache
		indented yarn install "$(locked yarn.lock --immutable --no-immutable)" || return 1
		[[ -z $PNP ]] || keep_pnp_cache
	elif wants_dev; then
		indented yarn install --frozen-lockfile --non-interactive --production=false
	else
		indented yarn install --frozen-lockfile --non-interactive --production=true
	fi
}

# Without a wish for Plug'n'Play, packages lie where every tool looks for them.
set_linker() {
	if [[ -z $PNP && -z ${YARN_NODE_LINKER:-} ]] && ! grep -q '^nodeLinker:' .yarnrc.yml 2>/dev/null; then
		export YARN_NODE_LINKER=node-modules
	fi
}

# With Plug'n'Play the packages are the archives in the app's .yarn/cache.
take_pnp_cache() {
	unset YARN_CACHE_FOLDER
	if [[ ! -d .yarn/cache && -d $CACHE_DIR/pnp ]]; then
		mkdir -p .yarn
		cp -a "$CACHE_DIR/pnp" .yarn/cache
	fi
}

keep_pnp_cache() {
	if [[ -d .yarn/cache ]]; then
		rsync -a --delete .yarn/cache/ "$CACHE_DIR/pnp/"
	fi
}

install_with_pnpm() {
	local production=(--prod=false)
	[[ -f pnpm-lock.yaml ]] || say_unlocked pnpm-lock.yaml
	wants_dev || production=(--prod)
	indented env CI=true pnpm install "$(locked pnpm-lock.yaml --frozen-lockfile --no-frozen-lockfile)" --store-dir "$CACHE_DIR/pnpm" --package-import-method copy "${production[@]}"
}

# prune: what only the build needed doesn't go into the image.
prune() {
	if keeps_dev || ! wants_dev || ! has_dev; then return; fi
	step "Pruning development packages"
	case $MANAGER in
	npm) if npm_is_old; then indented npm prune --production; else indented npm prune --omit=dev; fi ;;
	pnpm) indented env CI=true pnpm prune --prod --ignore-scripts ;;
	yarn) prune_with_yarn || return 0 ;;
	esac
	echo "$INPUTS pruned" >"$STATE"
}

# prune_with_yarn: fails where yarn has no way to.
prune_with_yarn() {
	if [[ -z $BERRY ]]; then
		indented yarn install --frozen-lockfile --non-interactive --production=true --ignore-scripts --prefer-offline
	elif [[ -n $PNP ]]; then
		detail "Skipped: with Plug'n'Play they are part of the repository."
		return 1
	elif [[ $(yarn --version) == [4-9]* || -f .yarn/plugins/@yarnpkg/plugin-workspace-tools.cjs ]]; then
		set_linker
		indented yarn workspaces focus --all --production
	else
		detail "Skipped: this yarn needs its plugin workspace-tools for that."
		return 1
	fi
}
