# shellcheck shell=bash
# What a build reads of the commit, for the builder: a change of anything else need not run it again. A buildpack that
# says nothing is run each time.

# reads PATTERN...: files whose contents decide. `*` goes through slashes.
reads() { printf '= %s\n' "$@" >>"${MOTHERSHIP_READS:-/dev/null}"; }

# reads_names PATTERN...: files whose being there decides.
reads_names() { printf '? %s\n' "$@" >>"${MOTHERSHIP_READS:-/dev/null}"; }

reads_everything() { echo everything >>"${MOTHERSHIP_READS:-/dev/null}"; }
