# shellcheck shell=bash
# What the app's processes and later buildpacks get to see.

write_profile() {
	mkdir -p .profile.d
	cp "$BUILDPACK_DIR/profile/python.sh" .profile.d/python.sh
	{
		printf 'export PATH="%s/bin:$PATH"\n' "$VENV"
		printf 'export PYTHONUNBUFFERED=true\n'
	} >"$BUILDPACK_DIR/export"
}
