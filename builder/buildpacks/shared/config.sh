# shellcheck shell=bash
# Config vars for the tools that a build runs (Heroku, "Buildpack API": files in ENV_DIR).

# export_config_vars: each as a variable, but for the names between spaces in RESERVED.
export_config_vars() {
	local file name value
	for file in "$ENV_DIR"/*; do
		name=${file##*/}
		if [[ -f $file && $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && $RESERVED != *" $name "* ]]; then
			IFS= read -rd '' value <"$file" || true
			export "$name=$value"
		fi
	done
}

# declares_nothing: neither the app nor another buildpack says what it runs.
declares_nothing() {
	[[ ! -f Procfile && ! -s /mothership/declared && -z ${MOTHERSHIP_FOLLOWED:-}${MOTHERSHIP_PRECEDED:-} ]]
}

# declares_web: whether the app itself says what its web process runs, in a Procfile or another file that has such.
declares_web() { grep -qsE '^web[[:space:]]*:' Procfile || grep -qsx web /mothership/declared; }
