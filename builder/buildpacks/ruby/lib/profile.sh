# shellcheck shell=bash
# shellcheck disable=SC2016
# What the app's processes and later buildpacks get to see.

# A Rails app without a SECRET_KEY_BASE of its own gets one that stays the same from build to build.
keep_secret() {
	if [[ ! -s $CACHE_DIR/secret ]]; then
		(umask 077 && openssl rand -hex 64 >"$CACHE_DIR/secret")
	fi
	SECRET=$(<"$CACHE_DIR/secret")
}

write_profile() {
	local api
	api=$(ruby -e 'print RbConfig::CONFIG["ruby_version"]')
	mkdir -p .profile.d
	{
		cat "$BUILDPACK_DIR/profile/ruby.sh"
		printf 'export PATH="%s/bin:/app/bin:/app/vendor/bundle/ruby/%s/bin:/app/.heroku/ruby-node/bin:$PATH"\n' "$RUBY_HOME" "$api"
		printf 'export GEM_PATH="/app/vendor/bundle/ruby/%s${GEM_PATH:+:$GEM_PATH}"\n' "$api"
		# Not the config var: until the next build, what is installed is what this one left.
		printf 'export BUNDLE_WITHOUT=%q\n' "$BUNDLE_WITHOUT"
		if has railties; then
			cat "$BUILDPACK_DIR/profile/rails.sh"
			printf 'export SECRET_KEY_BASE=${SECRET_KEY_BASE:-%s}\n' "$SECRET"
		fi
	} >.profile.d/ruby.sh
	{
		printf 'export PATH="%s/vendor/bundle/ruby/%s/bin:$PATH"\n' "$BUILD_DIR" "$api"
		[[ $RUBY_HOME == /usr ]] || printf 'export PATH="%s/bin:$PATH"\n' "$RUBY_HOME"
		printf 'export BUNDLE_APP_CONFIG="%s" BUNDLE_PATH="%s" BUNDLE_DEPLOYMENT=true BUNDLE_WITHOUT=%q\n' \
			"$BUNDLE_APP_CONFIG" "$BUNDLE_PATH" "$BUNDLE_WITHOUT"
		printf 'export RAILS_ENV=${RAILS_ENV:-production} RACK_ENV=${RACK_ENV:-production}\n'
	} >"$BUILDPACK_DIR/export"
}
