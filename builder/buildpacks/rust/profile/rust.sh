# shellcheck shell=bash
# Sourced when a process starts. A config var of the same name wins.
export PATH="@PATH@:$PATH"
# Rocket listens where it is told by these (Rocket, "Configuration").
export ROCKET_ADDRESS=${ROCKET_ADDRESS:-0.0.0.0} ROCKET_PORT=${ROCKET_PORT:-${PORT:-8000}}
