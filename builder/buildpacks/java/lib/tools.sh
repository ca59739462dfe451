# shellcheck shell=bash
# What the app asks for: which Java, which build tool.

# Sets MAJOR, and for people ASKED (what is asked for, as it is written) and PLACE (where).
read_version() {
	local answer lines
	answer=$(python3 -IBS "$BUILDPACK_DIR/lib/version.py" .) || {
		mapfile -t lines <<<"$answer"
		fail "${lines[@]}"
	}
	mapfile -t lines <<<"$answer"
	MAJOR=${lines[0]} ASKED=${lines[1]:-} PLACE=${lines[2]:-}
}

property() { sed -n "s/^ *${1//./\\.} *[=: ] *//p" system.properties 2>/dev/null | tail -n 1 | tr -d '[:space:]'; }

# mvn (the stack's), mvnw (the app's wrapper), maven-version (one that system.properties names), gradle, or none.
build_tool() {
	if compgen -G 'pom.*' >/dev/null && [[ $(bash "$BUILDPACK_DIR/bin/detect" .) == Java ]]; then
		if [[ -n $(property maven.version) ]]; then
			echo maven-version
		elif [[ -f mvnw && -f .mvn/wrapper/maven-wrapper.properties ]]; then
			echo mvnw
		else
			echo mvn
		fi
	elif [[ $(bash "$BUILDPACK_DIR/bin/detect" .) == Gradle ]]; then
		echo gradle
	else
		echo none
	fi
}
