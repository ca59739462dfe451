# shellcheck shell=bash
# Which Ruby the app gets: the stack's wherever it will do, else one compiled from its source.

# read_version HAVE: sets EXTRA, WISH, DEMAND, PLACE, GOOD (will HAVE do?), ALLOWED (would Bundler run with it?).
read_version() {
	local answer lines
	answer=$(python3 -IBS "$BUILDPACK_DIR/lib/version.py" . "$1") || {
		mapfile -t lines <<<"$answer"
		fail "${lines[@]}"
	}
	mapfile -t lines <<<"$answer"
	# shellcheck disable=SC2034
	EXTRA=${lines[0]} WISH=${lines[1]} DEMAND=${lines[2]} PLACE=${lines[3]} GOOD=${lines[4]} ALLOWED=${lines[5]}
}

choose_interpreter() {
	local have=""
	[[ ! -x /usr/bin/ruby ]] || have=$(/usr/bin/ruby -e 'print RUBY_VERSION')
	read_version "$have"
	if [[ $GOOD == yes ]]; then
		rm -rf vendor/ruby-*
		VERSION=$have RUBY_HOME=/usr
		step "Using Ruby $have$(words "$have")"
	elif use_compiled; then
		step "Using Ruby $VERSION, compiled for this app ($PLACE asks for it)"
	elif [[ $ALLOWED == yes ]]; then
		rm -rf vendor/ruby-*
		VERSION=$have RUBY_HOME=/usr
		warn "$REASON" "The Gemfile allows the stack's Ruby $have, which takes its place."
	else
		fail "${REASON:-There is no Ruby ${WISH:-$DEMAND}}, which $PLACE asks for." \
			"The stack has Ruby 3.3 (the default) and 3.1. In the Gemfile: ruby \"~> 3.3.0\" (then \`bundle update --ruby\`)" \
			"Other versions are compiled from their source, where this server reaches $RUBY_INDEX or has a mirror of it."
	fi
}

words() {
	if [[ -n $WISH && $WISH != "$1" ]]; then
		printf ' (%s names %s; patch releases of a series run the same gems)' "$PLACE" "$WISH"
	elif [[ -n $PLACE ]]; then
		printf ' (%s asks for %s)' "$PLACE" "${WISH:-$DEMAND}"
	else
		printf ', the default; a line such as ruby "~> %s.0" in the Gemfile fixes it' "${1%.*}"
	fi
}
