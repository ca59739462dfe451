# shellcheck shell=bash
# Collect a Django project's static files, when it is set up for that.

collect_static() {
	local project
	if [[ -n ${DISABLE_COLLECTSTATIC:-} && ${DISABLE_COLLECTSTATIC:-} != 0 ]]; then
		return
	fi
	if ! compgen -G "$VENV/lib/python*/site-packages/django/__init__.py" >/dev/null || ! project=$(django_project); then
		return
	fi
	if ! sets_static_root; then
		reads '*.py'
		step "Not collecting static files: no STATIC_ROOT in the settings"
		return
	fi
	step "python ${project}manage.py collectstatic --noinput"
	forget_collected
	run_collectstatic "${project}manage.py"
}

# The directory of the manage.py nearest to the root, with a slash behind it, or nothing for the root.
django_project() {
	local file
	for file in manage.py */manage.py */*/manage.py; do
		if [[ -f $file && $file != node_modules/* ]]; then
			printf '%s' "${file%manage.py}"
			return
		fi
	done
	return 1
}

sets_static_root() {
	grep -rqE --include='*.py' --exclude-dir=.heroku --exclude-dir=node_modules --exclude-dir=.git \
		'\bSTATIC_ROOT\b|django_heroku|django_on_heroku' .
}

run_collectstatic() {
	local log marker status=0
	log=$(mktemp)
	marker=$(mktemp)
	"$VENV/bin/python" "$BUILDPACK_DIR/lib/observe.py" "${MOTHERSHIP_READS:-/dev/null}" "$BUILD_DIR" \
		"$1" collectstatic --noinput --traceback >"$log" 2>&1 || status=$?
	if ((status)) && grep -q "Unknown command: 'collectstatic'" "$log"; then
		detail "Skipped: django.contrib.staticfiles isn't among the INSTALLED_APPS."
		return
	fi
	sed '/^$/d; s/^/       /' "$log"
	if ((status)); then
		fail "Collecting Django's static files failed: the reason is above." "" \
			"Config vars that the settings read must be set before the push (mothership config:set)." \
			"To see the error on your own machine: python $1 collectstatic --noinput" \
			"To build without static files: mothership config:set DISABLE_COLLECTSTATIC=1"
	fi
	remember_collected "$log" "$marker"
}

# Django skips a file whose collected copy looks newer, and times don't survive a push. So what the last build
# collected goes first, and nothing else: the directory may hold files of the app's own.
forget_collected() {
	local list=$CACHE_DIR/collected
	if [[ -f $list ]]; then
		xargs -0 -r rm -f -- <"$list"
		rm -f "$list"
	fi
}

# remember_collected LOG MARKER: list the files made since MARKER in the directory that collectstatic names.
remember_collected() {
	local directory
	directory=$(sed -nE "s/.* static files? copied to '([^']+)'.*/\1/p" "$1" | tail -n 1)
	if [[ $directory == "$BUILD_DIR"/* && -d $directory ]]; then
		find "$directory" -type f -cnewer "$2" -print0 >"$CACHE_DIR/collected"
	fi
}
