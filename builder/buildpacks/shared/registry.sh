# shellcheck shell=bash
# Programs that the npm registry has as packages.

STACK_NODE=/opt/node
export PATH=$STACK_NODE/bin:$PATH

# newest PACKAGE RANGE: the newest version that satisfies it; when none does, the newest of each series, and false.
newest() {
	npm view --fetch-retries=1 "$1" versions --json 2>/tmp/registry.log | node "$BUILDPACK_DIR/lib/satisfying.js" "$2"
}

# fetch PACKAGE VERSION FILE TARGET: one file of a package, as a program.
fetch() {
	local scratch
	scratch=$(mktemp -d)
	(cd "$scratch" && npm pack --silent "$1@$2" >/dev/null 2>/tmp/registry.log && tar -xzf ./*.tgz "package/$3") || {
		indented cat /tmp/registry.log
		return 1
	}
	mkdir -p "$(dirname "$4")"
	mv "$scratch/package/$3" "$4"
	chmod 755 "$4"
	rm -rf "$scratch"
}

# first_word FILE: what a version file says, without comments and a leading v.
first_word() { sed 's/#.*//; s/^[[:space:]]*v\{0,1\}//; s/[[:space:]]*$//; /^$/d' "$1" | head -n 1; }

# from_tool_versions NAME: the version that .tool-versions (asdf, mise) has for a tool.
from_tool_versions() { awk -v name="$1" '$1 == name { print $2; exit }' .tool-versions 2>/dev/null || true; }

# asked_before FILE QUESTION: whether the answer in the file, its second line, is to this question.
asked_before() { [[ -f $1 && $(head -n 1 "$1") == "$2" ]]; }

# asked_lately FILE QUESTION: whether it is a day old at most, too.
asked_lately() { asked_before "$1" "$2" && [[ -n $(find "$1" -mmin -1440) ]]; }
