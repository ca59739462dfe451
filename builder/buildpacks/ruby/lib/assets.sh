# shellcheck shell=bash
# Run the app's assets:precompile, with what the last build made at hand.

ASSET_DIRECTORIES=(public/assets public/packs public/packs-production public/vite tmp/cache/assets tmp/cache/webpacker)

precompile_assets() {
	if compgen -G 'public/assets/*manifest*.json' >/dev/null || compgen -G 'public/assets/.*manifest*.json' >/dev/null; then
		step "Not compiling assets: their manifest is in the repository"
		return
	fi
	if ! compgen -G '[Rr]akefile*' >/dev/null || ! has rake; then return; fi
	bring_assets
	if has sprockets-rails || has propshaft; then
		step "rake assets:precompile assets:clean"
		with_dummies indented bundle exec rake assets:precompile assets:clean || fail_assets
	else
		precompile_if_known
	fi
	keep_assets
}

# Starting the app only to ask for its tasks would take as long as the task: it is tried, and asked for when it fails.
precompile_if_known() {
	local known
	if with_dummies bundle exec rake assets:precompile >/tmp/assets.log 2>&1; then
		step "rake assets:precompile"
		sed 's/^/       /' /tmp/assets.log
	elif ! grep -q "Don't know how to build task 'assets:precompile'" /tmp/assets.log; then
		if ! known=$(with_dummies bundle exec rake -P 2>/tmp/rake.log); then
			warn "\`rake -P\` fails, so that nothing is known of the app's tasks: assets are not compiled."
			grep -v '^$' /tmp/rake.log | head -n 5 | sed 's/^/       /'
		elif grep -qx 'rake assets:precompile' <<<"$known"; then
			step "rake assets:precompile"
			sed 's/^/       /' /tmp/assets.log
			fail_assets
		fi
	fi
}

fail_assets() {
	fail "Compiling the assets failed: the reason is above." \
		"Config vars that the app needs to start must be set before the push (mothership config:set)." \
		"To see it on your machine: RAILS_ENV=production SECRET_KEY_BASE_DUMMY=1 bundle exec rake assets:precompile"
}

# with_dummies COMMAND...: run it with stand-ins for what a build has no need of, but Rails asks for.
with_dummies() {
	local DATABASE_URL=${DATABASE_URL:-} SECRET_KEY_BASE=${SECRET_KEY_BASE:-$SECRET} RAILS_GROUPS=${RAILS_GROUPS:-assets}
	local scheme
	if [[ -z $DATABASE_URL ]] && has activerecord; then
		scheme=sqlite3
		! has mysql2 || scheme=mysql2
		! has trilogy || scheme=trilogy
		! has pg || scheme=postgresql
		DATABASE_URL=$scheme://user:password@127.0.0.1/database
		[[ $scheme != sqlite3 ]] || DATABASE_URL=sqlite3:/tmp/database.sqlite3
	fi
	[[ -z $DATABASE_URL ]] || export DATABASE_URL
	export SECRET_KEY_BASE RAILS_GROUPS
	"$@"
}

bring_assets() {
	local directory
	for directory in "${ASSET_DIRECTORIES[@]}"; do
		if [[ -d $CACHE_DIR/assets/$directory ]]; then
			mkdir -p "$directory"
			cp -an "$CACHE_DIR/assets/$directory/." "$directory/"
		fi
	done
}

# What only speeds the next build up is no part of the app.
keep_assets() {
	local directory
	rm -rf "$CACHE_DIR/assets"
	for directory in "${ASSET_DIRECTORIES[@]}"; do
		if [[ -d $directory ]]; then
			mkdir -p "$CACHE_DIR/assets/$directory"
			cp -a "$directory/." "$CACHE_DIR/assets/$directory/"
			[[ $directory != tmp/* ]] || rm -rf "$directory"
		fi
	done
}
