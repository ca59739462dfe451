# shellcheck shell=bash
# Caddy over the folder of a site in BUILD_DIR. Also for buildpacks whose build leaves a site.

SITE_LIB=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
SITE_COMMAND="caddy run --config /app/.heroku/caddy/Caddyfile --adapter caddyfile"

serve_site() {
	local caddy=$BUILD_DIR/.heroku/caddy
	mkdir -p "$caddy" "$BUILD_DIR/.profile.d"
	cmp -s /opt/caddy/caddy "$caddy/caddy" || cp /opt/caddy/caddy "$caddy/caddy"
	python3 -IBS "$SITE_LIB/caddyfile.py" "$BUILD_DIR" "$caddy/Caddyfile"
	# shellcheck disable=SC2016
	printf 'export PATH="/app/.heroku/caddy:$PATH" XDG_DATA_HOME=/tmp XDG_CONFIG_HOME=/tmp\n' >"$BUILD_DIR/.profile.d/static.sh"
	XDG_DATA_HOME=/tmp XDG_CONFIG_HOME=/tmp PORT=5000 "$caddy/caddy" validate --config "$caddy/Caddyfile" --adapter caddyfile >/tmp/caddy.log 2>&1 || {
		printf ' !     static.json asks for something that can not be served:\n'
		sed 's/^/ !     /' /tmp/caddy.log | tail -n 3
		exit 1
	}
}

# The folder of a site in a directory, relative to it; "." for all of it.
site_folder() { python3 -IBS "$SITE_LIB/site_folder.py" "$1"; }

site_release() {
	printf -- '---\ndefault_process_types:\n  web: %s\n' "$SITE_COMMAND"
}
