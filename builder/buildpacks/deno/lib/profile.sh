# shellcheck shell=bash
# What the app finds when it runs, and what later buildpacks find.

write_profile() {
	mkdir -p .profile.d
	cat >.profile.d/deno.sh <<-'PROFILE'
		export PATH="/app/.heroku/deno/bin:/app/node_modules/.bin:$PATH"
		export DENO_DIR=/app/.heroku/deno_dir DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
	PROFILE
	printf 'export PATH="%s/bin:$PATH" DENO_DIR="%s"\n' "$DENO_HOME" "$DENO_DIR" >"$BUILDPACK_DIR/export"
}
