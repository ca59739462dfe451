# shellcheck shell=bash
# Run the app's assets:precompile, with what the last build made at hand.

ASSET_DIRECTORIES=(public/assets public/packs public/packs-production public/vite tmp/cache/assets tmp/cache/webpacker)

precompile_assets() {
	local tasks
	if compgen -G 'public/assets/*manifest*.json' >/dev/null || compgen -G 'public/assets/.*manifest*.json' >/dev/null; then
		step "Not compiling assets: their manifest is in the repository"
		return
	fi
	tasks=$(asset_tasks)
	if [[ -z $tasks ]]; then return; fi
	step "rake $tasks"
	bring_assets
	# shellcheck disable=SC2086
	if ! with_dummies indented bundle exec rake $tasks; then
		fail "Compiling the assets failed: the reason is above." \
			"Config vars that the app needs to start must be set before the push (mothership config:set)." \
			"To see it on your machine: RAILS_ENV=production SECRET_KEY_BASE_DUMMY=1 bundle exec rake assets:precompile"
	fi
	keep_assets
}

# The tasks there are. Of the two that come with Rails both are known, without starting the app to ask.
asset_tasks() {
	local known
	if ! compgen -G '[Rr]akefile*' >/dev/null || ! has rake; then return; fi
	if has sprockets-rails || has propshaft; then
		echo "assets:precompile assets:clean"
		return
	fi
	if ! known=$(with_dummies bundle exec rake -P 2>/tmp/rake.log); then
		{
			warn "\`rake -P\` fails, so that nothing is known of the app's tasks: assets are not compiled."
			tail -n 5 /tmp/rake.log | sed 's/^/       /'
		} >&2
		return
	fi
	if grep -qx 'rake assets:precompile' <<<"$known"; then echo assets:precompile; fi
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
