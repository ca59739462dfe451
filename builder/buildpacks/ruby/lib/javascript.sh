# shellcheck shell=bash
# Node and JavaScript packages, where the app's assets or ExecJS need them. A Node buildpack that ran before has done it.

install_javascript() {
	if [[ -d .heroku/node ]]; then return; fi
	if [[ -f package.json ]] || has execjs; then
		export PATH=/opt/node/bin:$PATH
	fi
	keep_node
	[[ -f package.json ]] || return 0
	export npm_config_cache=$CACHE_DIR/npm npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false
	export YARN_CACHE_FOLDER=$CACHE_DIR/yarn YARN_ENABLE_TELEMETRY=0 YARN_NODE_LINKER=${YARN_NODE_LINKER:-node-modules}
	export COREPACK_HOME=$CACHE_DIR/corepack COREPACK_ENABLE_DOWNLOAD_PROMPT=0
	mkdir -p /tmp/tools
	corepack enable --install-directory /tmp/tools
	export PATH=/tmp/tools:$PATH
	install_packages
}

# ExecJS looks for its runtime when the app starts.
keep_node() {
	if has execjs; then
		mkdir -p .heroku/ruby-node/bin
		cmp -s /opt/node/bin/node .heroku/ruby-node/bin/node || cp /opt/node/bin/node .heroku/ruby-node/bin/node
	else
		rm -rf .heroku/ruby-node
	fi
}

install_packages() {
	local marker=node_modules/.inputs inputs
	inputs=$({ cat package.json package-lock.json yarn.lock pnpm-lock.yaml .npmrc .yarnrc .yarnrc.yml 2>/dev/null || true; } | sha256sum)
	if [[ -f $marker && $(<"$marker") == "$inputs" ]]; then
		step "Using the JavaScript packages of the last build"
		return
	fi
	step "Installing JavaScript packages"
	javascript_install || fail "The packages of package.json could not be installed: the reason is above."
	mkdir -p node_modules
	echo "$inputs" >"$marker"
}

# Bundlers are often development packages, and the assets need them.
javascript_install() {
	if [[ -f yarn.lock ]] && grep -q '^__metadata:' yarn.lock; then
		indented yarn install --immutable
	elif [[ -f yarn.lock ]]; then
		indented yarn install --frozen-lockfile --non-interactive --production=false
	elif [[ -f pnpm-lock.yaml ]]; then
		indented env CI=true pnpm install --frozen-lockfile --prod=false --store-dir "$CACHE_DIR/pnpm" --package-import-method copy
	elif [[ -f package-lock.json ]]; then
		indented npm ci --include=dev
	else
		indented npm install --no-package-lock --include=dev
	fi
}
