# shellcheck shell=bash
# shellcheck disable=SC2016
# What the app's processes and later buildpacks get to see.

write_profile() {
	local home=.heroku/java
	mkdir -p .profile.d "$home"
	cmp -s "$BUILDPACK_DIR/profile/jdbc.py" "$home/jdbc.py" || cp "$BUILDPACK_DIR/profile/jdbc.py" "$home/jdbc.py"
	sed "s/@MAJOR@/$MAJOR/" "$BUILDPACK_DIR/profile/java.sh" >.profile.d/java.sh
	{
		printf 'export JAVA_HOME="%s"\n' "$JAVA_HOME"
		printf 'export PATH="%s/bin:$PATH"\n' "$JAVA_HOME"
	} >"$BUILDPACK_DIR/export"
}
