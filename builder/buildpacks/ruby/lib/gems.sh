# shellcheck shell=bash
# Install the gems into vendor/bundle, only when what decides them has changed.

install_gems() {
	local marker=vendor/bundle/.inputs inputs
	[[ -f Gemfile.lock ]] || fail "There is no Gemfile.lock, which says which version of each gem the app runs with." \
		"Run \`bundle install\` on your machine, commit Gemfile.lock, and push again."
	inputs=$(gem_inputs)
	if [[ -f $marker && $(<"$marker") == "$inputs" ]]; then
		step "Using the gems of the last build: nothing that decides them has changed"
		return
	fi
	step "Installing gems with Bundler $(bundle --version 2>/dev/null | sed 's/[^0-9]*\([0-9.]*\).*/\1/')"
	rm -f "$marker"
	bundle_install || fail_install
	rm -rf vendor/bundle/ruby/*/cache
	echo "$inputs" >"$marker"
}

gem_inputs() {
	{
		echo "$VERSION $RUBY_HOME"
		env | grep '^BUNDLE_' | sort
		cat "$BUNDLE_APP_CONFIG/config"
		find . -maxdepth 5 \( -path ./vendor/bundle -o -path ./node_modules -o -path ./.heroku -o -path './vendor/ruby-*' \) -prune -o \
			\( -name 'Gemfile*' -o -name '*.gemspec' -o -path './vendor/cache/*.gem' \) -type f -print0 | sort -z | xargs -0 sha256sum
	} | sha256sum | cut -d' ' -f1
}

# With gems in the repository, nothing else needs to be asked.
bundle_install() {
	if compgen -G 'vendor/cache/*.gem' >/dev/null; then
		detail "From vendor/cache"
		if BUNDLE_VERSION=system bundle install --local >/tmp/bundle.log 2>&1; then
			indented cat /tmp/bundle.log
			return
		fi
		tail -n 4 /tmp/bundle.log | sed '/^$/d; s/^/       /'
		detail "Asking the sources for what vendor/cache lacks"
	fi
	indented bundle install
}

fail_install() {
	local lines=("The gems could not be installed: what Bundler says is above.")
	if ! sed -n '/^PLATFORMS/,/^$/p' Gemfile.lock | grep -qE '^  (ruby|.*linux.*)$'; then
		lines+=("Gemfile.lock knows no Linux: run \`bundle lock --add-platform x86_64-linux\`, commit it, and push again.")
	fi
	if [[ -n $DEMAND && $PLACE == "the Gemfile" ]] && ! grep -q '^RUBY VERSION' Gemfile.lock; then
		lines+=("Gemfile.lock doesn't know of the Gemfile's ruby line: run \`bundle install\` on your machine and commit it.")
	fi
	lines+=("Credentials of a private source are a config var: mothership config:set BUNDLE_GEMS__EXAMPLE__COM=user:password")
	fail "${lines[@]}"
}
