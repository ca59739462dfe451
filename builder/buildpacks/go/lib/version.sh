# shellcheck shell=bash
# Which Go the app asks for, and where it says so.

# Sets MODULE, REQUEST (such as 1.25 or 1.25.3, "" for the newest), EXACT (yes when no other patch will do) and SOURCE.
read_version() {
	local language toolchain
	MODULE=$(go_mod_word module)
	MODULE=${MODULE//\"/}
	language=$(go_mod_word go)
	toolchain=$(go_mod_word toolchain)
	toolchain=${toolchain%%-*}
	REQUEST=${GOVERSION:-} SOURCE="the config var GOVERSION" EXACT=""
	if [[ -z $REQUEST ]]; then
		REQUEST=$(directive goVersion) SOURCE="// +heroku goVersion in go.mod"
	fi
	REQUEST=${REQUEST#go}
	if [[ -n $REQUEST ]]; then
		case $REQUEST in *.*.* | *rc* | *beta*) EXACT=yes ;; esac
	else
		# The lines in go.mod are the least that will do: the newest patch of that series serves.
		REQUEST=${language} SOURCE="go.mod"
		if [[ $toolchain == go* ]]; then REQUEST=${toolchain#go}; fi
	fi
	check_version
}

check_version() {
	if [[ -n $REQUEST && ! $REQUEST =~ ^1(\.[0-9]+){0,2}((rc|beta)[0-9]+)?$ ]]; then
		fail "$SOURCE asks for Go \"$REQUEST\", which is not a version of Go." "Write one such as 1.25 (its newest patch) or 1.25.3."
	fi
	if [[ $REQUEST =~ ^1\.([0-9])(\.|$) || $REQUEST =~ ^1\.10(\.|$) ]] && [[ $SOURCE != go.mod ]]; then
		fail "Go $REQUEST, which $SOURCE asks for, knows no modules; they came with Go 1.11." "Ask for a newer one."
	fi
}

# go_mod_word NAME: the word after NAME on its line of go.mod.
go_mod_word() { awk -v name="$1" '$1 == name && $2 != "(" { print $2; exit }' go.mod | tr -d '\r'; }

# directive NAME: what follows `// +heroku NAME` in go.mod.
directive() {
	awk -v name="$1" '$1 == "//" && $2 == "+heroku" && $3 == name { $1 = $2 = $3 = ""; print; exit }' go.mod |
		tr -d '\r' | sed 's/^ *//; s/ *$//'
}
