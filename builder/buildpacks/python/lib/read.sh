# shellcheck shell=bash
# What this build read of the commit. What collectstatic reads, observe.py says.

say_what_was_read() {
	if [[ $VOLATILE == yes || $MANAGER == pyproject || $MANAGER == setup_py || -f bin/pre_compile || -f bin/post_compile ]]; then
		reads_everything
		return
	fi
	reads .python-version runtime.txt pyproject.toml setup.py setup.cfg uv.toml "$MANAGER_FILE" "${READ[@]}" Procfile
	looks_for requirements.txt uv.lock poetry.lock Pipfile Pipfile.lock bin/pre_compile bin/post_compile '*manage.py'
	# Without a web process of the app's own, processes.py looks for one in these.
	if ! declares_web; then
		reads '*.py'
	fi
}
