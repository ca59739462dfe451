#!/usr/bin/env bash
# Fetches what an app is to be built from, in a container that reaches no more than any build does.
# fetch.sh git    URL REF WANTED in the environment: the commit's pack goes to /out/pack, its id to /out/commit
# fetch.sh file   URL in the environment: what it names goes to /out/pack
set -euo pipefail
umask 077

problem() { # the reason, for the daemon
	printf '%s\n' "$1" >/out/problem
	exit 1
}

fetched() { # from, to: one commit of the repository
	git fetch --quiet --depth=1 --no-tags -- "$URL" "+$1:refs/fetched" 2>/tmp/said
}

from_git() {
	local wanted
	git init --quiet --bare /tmp/source
	cd /tmp/source
	if ! fetched "$REF"; then
		if [ "$REF" = "${REF#refs/heads/}" ] || ! grep -q "find remote ref" /tmp/said ||
			! fetched "refs/tags/${REF#refs/heads/}"; then
			cat /tmp/said >&2
			problem "fetch"
		fi
	fi
	wanted=$(git rev-parse --verify --quiet 'refs/fetched^{commit}') || problem "commit"
	if [ -n "${WANTED-}" ] && [ "$WANTED" != "$wanted" ] && fetched "$WANTED"; then
		wanted=$WANTED
	fi
	printf '%s\n' "$wanted" | git pack-objects --quiet --revs --stdout >/out/pack || problem "size"
	printf '%s\n' "$wanted" >/out/commit
	if [ -e shallow ]; then touch /out/shallow; fi
}

from_file() {
	# The URL may be signed: it travels by standard input, not in argv.
	printf 'url = "%s"\n' "$URL" |
		curl --config - --silent --show-error --fail --location --proto '=http,https' --max-filesize "$LIMIT" \
			--output /out/pack || problem "fetch"
}

"from_$1"
