# shellcheck shell=bash
# Sourced when a process starts. A config var of the same name wins, but for PATH and where the gems are.
export LANG=${LANG:-C.UTF-8} RACK_ENV=${RACK_ENV:-production} MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-2}
export BUNDLE_APP_CONFIG=/app/.heroku/ruby/bundle BUNDLE_PATH=/app/vendor/bundle BUNDLE_DEPLOYMENT=true
