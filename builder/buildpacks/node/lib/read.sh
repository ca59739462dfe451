# shellcheck shell=bash
# What this build read of the commit.

say_what_was_read() {
	if [[ -n $SITE || ${NODE_MODULES_CACHE:-} == false ]] || builds || runs_scripts || members_are_built; then
		reads_everything
		return
	fi
	reads '*package.json' package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml pnpm-workspace.yaml \
		.npmrc .yarnrc .yarnrc.yml '.yarn/*' '.pnp.*' .nvmrc .node-version Procfile static.json '*.config.*'
	# npm links the commands of a workspace's members; and without a start script many files decide what starts.
	if [[ -n $(field .scripts.start) && ! -f pnpm-workspace.yaml ]] && ! starts_for_development &&
		jq -e '.workspaces | not' package.json >/dev/null; then
		looks_for server.js '*binding.gyp'
	fi
}

# runs_scripts: the app's own, which may read anything.
runs_scripts() {
	installs || jq -e '.scripts // {} | .["heroku-prebuild"] // .["heroku-cleanup"]' package.json >/dev/null 2>&1
}
