# shellcheck shell=bash
# Rubies that the stack doesn't have, compiled from their release's source into vendor/ruby-VERSION.

RUBY_SITE=https://cache.ruby-lang.org/pub/ruby
RUBY_INDEX=$RUBY_SITE/index.txt

# Sets VERSION and RUBY_HOME, or REASON when there is no such Ruby to be had.
use_compiled() {
	local found url sum
	found=$(compiled_already) || {
		REASON="Ruby ${WISH:-$DEMAND} can't be fetched: $RUBY_INDEX doesn't answer"
		curl -fsSL --retry 1 --connect-timeout 15 --max-time 60 -o /tmp/rubies.txt "$RUBY_INDEX" 2>/dev/null || return 1
		REASON="There is no Ruby ${WISH:-$DEMAND}"
		found=$(newest_release) || return 1
	}
	read -r VERSION url sum <<<"$found"
	RUBY_HOME=$BUILD_DIR/vendor/ruby-$VERSION
	[[ -f $RUBY_HOME/complete ]] || compile_ruby "$url" "$sum"
	export PATH=$RUBY_HOME/bin:$PATH
}

# The Ruby of the last build, when it is what is asked for now.
compiled_already() {
	local home
	for home in vendor/ruby-*; do
		if [[ -f $home/complete ]] && suits "${home#vendor/ruby-}"; then
			echo "${home#vendor/ruby-}"
			return
		fi
	done
	return 1
}

# suits VERSION: is it what the files ask for?
suits() {
	if [[ -n $WISH ]]; then
		[[ $1 == "$WISH" ]]
	else
		[[ $(python3 -IBS "$BUILDPACK_DIR/lib/version.py" . "$1" | sed -n 6p) == yes ]]
	fi
}

# The newest release in the index that suits: its version, address and SHA-256.
newest_release() {
	local version url sum
	while read -r version url sum; do
		if suits "$version"; then
			echo "$version $url $sum"
			return
		fi
	done < <(awk -F '\t' '$1 ~ /^ruby-[0-9]+[.][0-9]+[.][0-9]+$/ && $2 ~ /[.]tar[.]gz$/ { print substr($1, 6), $2, $4 }' /tmp/rubies.txt | sort -rV)
	return 1
}

compile_ruby() {
	step "Compiling Ruby $VERSION, once for this app: this takes some minutes"
	rm -rf vendor/ruby-* /tmp/ruby
	mkdir -p /tmp/ruby vendor
	curl -fsSL --retry 2 --connect-timeout 20 --max-time 300 -o /tmp/ruby.tar.gz "$1" ||
		fail "The source of Ruby $VERSION can't be fetched: $1"
	[[ $(sha256sum </tmp/ruby.tar.gz | cut -d' ' -f1) == "$2" ]] ||
		fail "What $1 gave is not what $RUBY_INDEX says of it." "Push again; a mirror may be half done."
	tar -xzf /tmp/ruby.tar.gz -C /tmp/ruby --strip-components 1
	if ! (cd /tmp/ruby && ./configure -q --prefix="$RUBY_HOME" --disable-install-doc --disable-install-static-library \
		--enable-shared && make -s -j"$(nproc)" && make -s install) >/tmp/ruby.log 2>&1; then
		tail -n 25 /tmp/ruby.log | sed 's/^/       /'
		fail "Ruby $VERSION could not be compiled: the end of its output is above."
	fi
	rm -rf /tmp/ruby /tmp/ruby.tar.gz
	touch "$RUBY_HOME/complete"
}
