# shellcheck shell=bash
# Modules: those that deno.json, package.json and the lock name, and those that the source itself imports.

# Sets CONFIG, the settings as JSON (deno.json may have comments, which deno understands and jq doesn't), and LOCK, the
# flag that keeps a committed lock as it is.
read_config() {
	local file
	CONFIG='{}' LOCK=()
	for file in deno.json deno.jsonc; do
		[[ -f $file ]] || continue
		CONFIG=$(deno eval --no-config --no-lock --ext=js "$(<"$BUILDPACK_DIR/lib/config.js")" "$file" 2>/tmp/deno-config.log) || {
			indented cat /tmp/deno-config.log
			fail "$file is not what it should be; the reason is above." "Mend it, commit, and push again."
		}
		break
	done
	if [[ -f deno.lock && $(jq -r '.lock' <<<"$CONFIG") != false ]]; then LOCK=(--frozen); fi
}

task() { jq -r --arg name "$1" '.tasks[$name] // "" | if type == "object" then .command // "" else . end' <<<"$CONFIG"; }
script() { jq -r --arg name "$1" '.scripts[$name] // ""' package.json 2>/dev/null || true; }
has_task() { [[ -n $(task "$1")$(script "$1") ]]; }

inputs() {
	{
		cat "$DENO_HOME/version" deno.lock package.json .npmrc import_map.json 2>/dev/null || true
		jq -S '{imports, scopes, importMap, lock, workspace, nodeModulesDir, vendor, links, allowScripts, unstable}' <<<"$CONFIG"
		find . \( -name deno.json -o -name deno.jsonc -o -name package.json \) -path './*/*' -not -path '*/node_modules/*' \
			-not -path './.heroku/*' -print0 | sort -z | xargs -0 -r cat
	} | sha256sum | cut -d' ' -f1
}

# A cache for these inputs alone, so that nothing of earlier ones lingers in the image.
install_dependencies() {
	local state=$DENO_DIR/.inputs now
	now=$(inputs)
	if [[ $(cat "$state" 2>/dev/null) == "$now" ]]; then
		step "Dependencies are as in the last build"
		return
	fi
	rm -rf "$DENO_DIR" node_modules
	mkdir -p "$DENO_DIR"
	step "Installing dependencies"
	if [[ -f deno.json || -f deno.jsonc || -f package.json ]]; then
		indented deno install "${LOCK[@]}" || fail "The dependencies could not be installed." \
			"What deno says is above. If the lock is out of date, run \`deno install\`, commit deno.lock and push again."
	fi
	echo "$now" >"$state"
}

run_build_task() {
	if [[ $(task build)$(script build) == "" ]]; then return; fi
	step "Running deno task build"
	indented deno task build || fail "The task build failed." "Its output is above; mend it, commit, and push again."
}

# Sets ENTRIES: the files that the commands in the Procfile and the tasks name, else the usual ones.
find_entry_points() {
	local word file
	ENTRIES=()
	while IFS= read -r word; do
		word=${word#./}
		if [[ -f $word && " ${ENTRIES[*]} " != *" $word "* ]]; then ENTRIES+=("$word"); fi
	done < <({
		cat Procfile 2>/dev/null || true
		jq -r '.tasks // {} | .[] | if type == "object" then .command // "" else . end' <<<"$CONFIG"
		jq -r '.scripts // {} | .[]' package.json 2>/dev/null || true
	} | tr -s '[:space:]"'"'" '\n' | grep -E '\.(ts|tsx|mts|js|jsx|mjs)$' || true)
	MAIN=""
	for file in main.ts main.tsx main.js mod.ts server.ts app.ts index.ts src/main.ts; do
		if [[ -f $file ]]; then
			MAIN=$file
			if ((${#ENTRIES[@]} == 0)); then ENTRIES=("$file"); fi
			break
		fi
	done
}

cache_modules() {
	if ((${#ENTRIES[@]})); then
		indented deno cache "${LOCK[@]}" "${ENTRIES[@]}" || fail "What ${ENTRIES[*]} imports could not be fetched." "What deno says is above."
	fi
	tidy
}

# What deno derives from the source changes with it, and is derived again in a moment; modules are all that stays.
tidy() {
	find "$DENO_DIR" -mindepth 1 -maxdepth 1 ! -name npm ! -name remote ! -name .inputs -exec rm -rf {} +
}

write_process() {
	: >/tmp/deno-process
	if has_task start; then
		printf 'default_process_types:\n  web: deno task start\n' >/tmp/deno-process
	elif [[ -n $MAIN ]]; then
		printf 'default_process_types:\n  web: deno run -A %s\n' "$MAIN" >/tmp/deno-process
	fi
}
