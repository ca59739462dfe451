# shellcheck shell=bash
# What a build reads of the commit, for the builder: changes of anything else need not run it again. A buildpack that says
# nothing is run each time; one that does not say what it looks for is run whenever a file comes or goes.

# reads PATTERN...: files whose contents decide. `*` goes through slashes.
reads() { printf '= %s\n' "$@" >>"${MOTHERSHIP_READS:-/dev/null}"; }

# looks_for PATTERN...: files that decide by being there or not, beside those that are read.
looks_for() { printf '+ %s\n' "$@" >>"${MOTHERSHIP_READS:-/dev/null}"; }

reads_everything() { echo everything >>"${MOTHERSHIP_READS:-/dev/null}"; }
