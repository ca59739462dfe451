# shellcheck shell=bash
# What starts a JavaScript app: its start script, unless that is for development; else the server that its build left.
# Needs field and MANAGER.

DEVELOPMENT='(npm|pnpm|yarn|bun) (run )?(dev|preview)|vite( (dev|serve|preview))?|(react-scripts|craco|react-app-rewired|docusaurus|elm-app|react-static|expo) start
vue-cli-service serve|ng (serve|s|dev)|(astro|rsbuild) (dev|preview)|(nuxt|nuxi|next|vinxi|vitepress|vuepress|quasar|umi|dumi|expo|storybook|snowpack) dev
(gatsby|gridsome) develop|parcel( serve)?|(@11ty/)?eleventy .*--serve.*|webpack-dev-server|(webpack|webpack-cli|rspack) (serve|dev)
ember (serve|server|s)|hexo (server|s)|ionic serve|preact watch|stencil build .*--serve.*'

# script_command NAME: what a script of package.json runs in the end, without npx, variables, and `npm run` before it.
script_command() {
	local name=$1 command="" next
	for _ in 1 2 3; do
		next=$(jq -r --arg name "$name" '(.scripts // {})[$name] | strings' package.json)
		[[ -n $next ]] || break
		command=$(sed -E 's/^ +//; s/^((cross-env|env|exec|npx|bunx|bun x|bun --bun|(npm|pnpm|yarn) exec|--yes|-y|--|[A-Za-z_][A-Za-z0-9_]*=[^ ]*) +)*//' <<<"$next")
		[[ $command =~ ^(npm|pnpm|yarn|bun)\ (run\ |run-script\ )?([A-Za-z0-9:_-]+)( -- .*)?$ ]] || break
		name=${BASH_REMATCH[3]}
	done
	printf '%s\n' "$command"
}

# Tools that watch sources are no servers, and production lacks them.
starts_for_development() {
	local command
	command=$(script_command start)
	[[ $command =~ ^(${DEVELOPMENT//$'\n'/|})( .*)?$ && ! $command =~ ^(vite|parcel)\ build ]]
}

# makes_server: frameworks whose build leaves a server, by their settings or the build script.
makes_server() {
	local build
	build=$(field .scripts.build)
	grep -qs '@sveltejs/adapter-node' svelte.config.* vite.config.* && return
	grep -qs '@astrojs/node' astro.config.* && return
	grep -qsE "['\"]nitro" vite.config.* && return
	[[ $build =~ (^|[ /])(nuxt|nuxi|vinxi)\ build || -n $(angular_server) ]] && return
	[[ $build =~ (^|[ /])next\ build ]] && ! grep -qsE "output['\"]?: *['\"]export" next.config.*
}

# exports_pages: Next.js, whose own start script then fails.
exports_pages() {
	[[ $(script_command start) =~ ^next\ start ]] && grep -qsE "output['\"]?: *['\"]export" next.config.*
}

# Angular's server is started by a script that has the project's name in its own.
angular_server() { jq -r '(.scripts // {}) | keys[] | select(startswith("serve:ssr"))' package.json | head -n 1; }

# server_left: how to start what the build left, "" where that is no server.
server_left() {
	local runtime=${1:-node} script
	script=$(angular_server)
	if [[ -f .output/server/index.mjs ]]; then
		echo "$runtime .output/server/index.mjs"
	elif [[ -f dist/server/entry.mjs ]]; then
		echo "HOST=0.0.0.0 $runtime dist/server/entry.mjs"
	elif [[ -f build/index.js && -f build/handler.js ]]; then
		# Without it every form is taken for another site's, where visitors come by plain HTTP.
		echo "PROTOCOL_HEADER=x-forwarded-proto $runtime build"
	elif [[ -f .next/BUILD_ID ]]; then
		echo "next start"
	elif [[ -n $script ]] && compgen -G 'dist/*/server/server.mjs' >/dev/null; then
		echo "$MANAGER run $script"
	fi
}

start_script() {
	if [[ $MANAGER == bun ]]; then echo "bun run start"; elif [[ -f .pnp.cjs ]]; then echo "yarn start"; else echo "npm start"; fi
}

# script_runs NAME: is the program of a script there, now that development packages are not?
script_runs() {
	local program
	read -r program _ < <(script_command "$1")
	[[ -z $program || -f node_modules/.bin/$program || -f .pnp.cjs ]] || command -v "$program" >/dev/null
}

# web_command: of an app without a Procfile, when it is built and pruned; "" for none.
web_command() {
	local start name
	start=$(field .scripts.start)
	if [[ -z $start ]] || starts_for_development; then
		name=$(server_left "$([[ $MANAGER != bun ]] || echo bun)")
		if [[ -n $name ]]; then
			echo "$name"
			return
		fi
	fi
	if [[ -n $start ]] && ! script_runs start; then
		for name in start:prod start:production; do
			if [[ -n $(field ".scripts[\"$name\"]") ]]; then
				echo "$MANAGER run $name"
				return
			fi
		done
	fi
	if [[ -n $start ]]; then
		start_script
	elif [[ $MANAGER != bun && ! -f server.js ]] && declares_nothing && ! is_page; then
		main_file
	fi
}

# main_file: what `node .` would run, "" where there is no such file.
main_file() {
	local main file
	main=$(field .main)
	for file in "$main" "$main.js" "${main:+$main/}index.js"; do
		if [[ -f $file && $file =~ ^[A-Za-z0-9_./-]+$ ]]; then
			echo "node ${file#./}"
			return
		fi
	done
}

# is_page: a page, whose package.json is there for tools alone.
is_page() {
	[[ -f $(site_folder .)/index.html ]] && jq -e '.dependencies // {} | length == 0' package.json >/dev/null
}

# decide_web FILE: writes the command for bin/release; says it where it isn't the start script.
decide_web() {
	local command
	command=$(web_command)
	if [[ -z $command && -f $(site_folder .)/index.html ]] && { makes_server || { [[ $MANAGER != bun && ! -f server.js ]] && declares_nothing && is_page; }; }; then
		serve_site
		command=$SITE_COMMAND
	elif [[ -n $command && $command != "$(start_script)" ]] && ! declares_web; then
		step "The web process will be: $command"
		detail "A start script in package.json or a Procfile chooses another."
	fi
	printf '%s' "$command" | put "$1"
}
