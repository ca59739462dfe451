# shellcheck shell=bash
# The app's own packages: which ones are programs, and building them.

choose_packages() {
	FLAGS=(-tags heroku)
	if [[ -f vendor/modules.txt ]]; then FLAGS+=(-mod=vendor); fi
	if [[ -n ${GO_LINKER_SYMBOL:-} ]]; then
		FLAGS+=(-ldflags "-X '$GO_LINKER_SYMBOL=${GO_LINKER_VALUE:-${SOURCE_VERSION:-}}'")
	fi
	local given source="the config var GO_INSTALL_PACKAGE_SPEC"
	given=${GO_INSTALL_PACKAGE_SPEC:-}
	if [[ -z $given ]]; then given=$(directive install) source="// +heroku install in go.mod"; fi
	if [[ -n $given ]]; then
		step "Installing $given, as $source says"
		read -ra PACKAGES <<<"$given"
		return
	fi
	main_packages
	if ((${#PACKAGES[@]} == 0)); then
		fail "There is no main package in module $MODULE, so there is nothing to run." \
			"If it is elsewhere, say where in go.mod: // +heroku install ./cmd/..."
	fi
}

main_packages() {
	local found
	found=$(go list -e -find "${FLAGS[@]}" -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./... 2>/tmp/go-list.log) ||
		fail_go "The packages of $MODULE can't be listed." /tmp/go-list.log
	mapfile -t PACKAGES < <(printf '%s' "$found")
}

fail_go() {
	sed 's/^/       /' "$2"
	fail "$1" "What go says is above."
}

# Programs go into the cache first: where one is there already and up to date, go neither compiles nor links it.
install_packages() {
	step "Running: go install ${FLAGS[*]} ${PACKAGES[*]}"
	GOBIN=$CACHE_DIR/bin go install -v "${FLAGS[@]}" "${PACKAGES[@]}" 2>&1 | without_standard_packages | sed -u 's/^/       /' ||
		fail_install
	copy_programs
}

# Go compiles its own library, too, since it no longer comes compiled (Go 1.20): two hundred names that say nothing.
without_standard_packages() {
	go list std >/tmp/go-std 2>/dev/null || true
	awk 'NR == FNR { std[$0]; next } !($0 in std) { print; fflush() }' /tmp/go-std -
}

fail_install() {
	fail "The app could not be built with Go $VERSION." "What go says is above; \`go vet ./...\` on your machine shows the same."
}

copy_programs() {
	local target
	if [[ -e bin && ! -d bin ]]; then
		fail "The app has a file named bin, where its programs should go." "Rename it, commit, and push again."
	fi
	mkdir -p bin
	PROGRAMS=()
	while IFS= read -r target; do
		if [[ -f $target ]]; then
			cp "$target" bin/
			PROGRAMS+=("${target##*/}")
		fi
	done < <(GOBIN=$CACHE_DIR/bin go list "${FLAGS[@]}" -f '{{if eq .Name "main"}}{{.Target}}{{end}}' "${PACKAGES[@]}" 2>/dev/null | sort -u)
	find "$CACHE_DIR/bin" -type f -mtime +7 -delete
	step "Installed: ${PROGRAMS[*]/#/bin/}"
}

# run_hook NAME: the app's own bin/NAME, in the source or just built.
run_hook() {
	if [[ ! -f bin/$1 ]]; then return; fi
	step "Running bin/$1"
	chmod +x "bin/$1"
	mkdir -p bin
	GOBIN=$BUILD_DIR/bin indented "bin/$1" || fail "bin/$1 failed." "Its output is above; mend it, commit, and push again."
}

# One program is the web process, and the root's among several; others are process types by their names.
write_processes() {
	local program name root programs=()
	for program in "${PROGRAMS[@]}"; do
		case $program in go-pre-compile | go-post-compile) ;; *) programs+=("$program") ;; esac
	done
	: >/tmp/go-processes
	case ${#programs[@]} in
		0) return ;;
		1) printf 'default_process_types:\n  web: bin/%s\n' "${programs[0]}" >/tmp/go-processes ;;
		*)
			root=$(go list "${FLAGS[@]}" -f '{{if eq .Name "main"}}{{.Target}}{{end}}' . 2>/dev/null || true)
			echo "default_process_types:" >/tmp/go-processes
			for program in "${programs[@]}"; do
				name=$program
				if [[ $program == "${root##*/}" && " ${programs[*]} " != *" web "* ]]; then name=web; fi
				echo "  $name: bin/$program" >>/tmp/go-processes
			done
			;;
	esac
}
