# shellcheck shell=bash
# Packages by the lock file, only when what decides them has changed.

builds() { [[ -n $(field '.scripts["heroku-postbuild"]')$(field .scripts.build) ]]; }
has_dev() { [[ $(jq '(.devDependencies // {}) | length' package.json) -gt 0 ]]; }
keeps_dev() { [[ ${NPM_CONFIG_PRODUCTION:-} == false || $NODE_ENV != production ]]; }
wants_dev() { builds || keeps_dev; }
locked() { [[ -f bun.lock || -f bun.lockb ]]; }

inputs() {
	{
		cat "$BUN_DIR/version" .npmrc bunfig.toml bun.lock bun.lockb 2>/dev/null || true
		jq -S '{dependencies, devDependencies, optionalDependencies, peerDependencies, overrides, resolutions, workspaces, catalog, catalogs, patchedDependencies, trustedDependencies, postinstall: .scripts.postinstall, install: .scripts.install, preinstall: .scripts.preinstall}' package.json
		find . \( -name package.json -o -name '*.patch' \) -not -path '*/node_modules/*' -not -path './.heroku/*' -not -path ./package.json -print0 | sort -z | xargs -0 -r cat
		if keeps_dev; then echo dev; fi
	} | sha256sum | cut -d' ' -f1
}

install_packages() {
	INPUTS=$(inputs)
	local installed flags=(--frozen-lockfile)
	installed=$(cat "$STATE" 2>/dev/null || true)
	if [[ $installed == "$INPUTS full" ]] || { [[ $installed == "$INPUTS pruned" ]] && ! wants_dev; }; then
		step "Packages are as in the last build"
		return
	fi
	if [[ $installed == "$INPUTS pruned" ]]; then
		step "Packages are as in the last build; adding those for development"
	else
		step "Installing packages with bun"
		rm -rf node_modules
	fi
	rm -f "$STATE"
	if ! locked; then
		detail "There is no bun.lock: versions may differ from build to build. Commit one for the same each time."
		flags=(--no-save)
	fi
	wants_dev || flags+=(--production)
	bun_install "${flags[@]}" || fail "The packages could not be installed." "What bun says is above; \`bun install\` renews bun.lock."
	local kind=full
	if ! wants_dev; then kind=pruned; fi
	echo "$INPUTS $kind" >"$STATE"
}

# NODE_ENV would leave development packages out on some versions.
bun_install() { indented env -u NODE_ENV bun install --no-progress --no-summary "$@"; }

# prune: what only the build needed doesn't go into the image.
prune() {
	if keeps_dev || ! wants_dev || ! has_dev; then return; fi
	step "Pruning development packages"
	if [[ $(bun prune --help 2>/dev/null) == *--production* ]]; then
		indented bun prune --production --silent || fail "The development packages could not be pruned." "NPM_CONFIG_PRODUCTION=false keeps them."
	else
		rm -rf node_modules
		if locked; then bun_install --production --frozen-lockfile; else bun_install --production --no-save; fi ||
			fail "The packages could not be installed without those for development." "What bun says is above."
	fi
	echo "$INPUTS pruned" >"$STATE"
}
