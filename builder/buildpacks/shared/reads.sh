# shellcheck shell=bash
# What a build reads of the commit, for the builder: other contents of anything else need not run it again. A buildpack
# that says nothing is run each time, and each is run when files come or go.

# reads PATTERN...: files whose contents decide. `*` goes through slashes.
reads() { printf '= %s\n' "$@" >>"${MOTHERSHIP_READS:-/dev/null}"; }

reads_everything() { echo everything >>"${MOTHERSHIP_READS:-/dev/null}"; }
