# shellcheck shell=bash
# The app's own scripts.

# run_script NAME: a script of package.json, when there is one.
run_script() {
	if [[ -z $(field ".scripts[\"$1\"]") ]]; then return; fi
	step "Running $1"
	indented bun run --silent "$1" || fail "The script $1 in package.json failed." "Its output is above; mend it, commit, and push again."
}

# build: heroku-postbuild takes the place of build.
build() {
	if [[ -n $(field '.scripts["heroku-postbuild"]') ]]; then
		run_script heroku-postbuild
	else
		run_script build
	fi
	run_script heroku-cleanup
}

# entry: the file that is run where no script says what to start.
entry() {
	local file
	for file in "$(field '.module // .main')" {index,server,app,src/index,src/server}.{ts,tsx,js}; do
		if [[ -n $file && -f $file ]]; then
			printf '%s\n' "$file"
			return
		fi
	done
}

# is_bun_site: Bun runs a program without a start script, unless there is a page that it belongs to.
is_bun_site() { { [[ -n $(field .scripts.start) || -f index.html || -z $(entry) ]]; } && is_site; }
