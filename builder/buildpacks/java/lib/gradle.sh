# shellcheck shell=bash
# Gradle: the version of the app's wrapper, fetched and kept by us, so that a failure can say what to do.

WRAPPER=gradle/wrapper/gradle-wrapper.properties

build_with_gradle() {
	local tasks=()
	choose_gradle
	mapfile -t tasks < <(words "${GRADLE_TASK:-$(usual_tasks)}")
	export GRADLE_OPTS="${GRADLE_OPTS:--Xmx512m} $JAVA_TOOL_OPTIONS"
	step "Building with Gradle: gradle ${tasks[*]}"
	if ! talk "$GRADLE" --no-daemon --console=plain --build-cache --project-cache-dir "$CACHE_DIR/gradle-project" "${tasks[@]}"; then
		fail "Gradle could not build the app: the reason is above." \
			"To see it on your machine: ./gradlew ${tasks[*]}" \
			"Another task: mothership config:set GRADLE_TASK=…, or a task called stage in the build file."
	fi
}

# A task called `stage` is Heroku's custom; else what each framework packs an app with.
usual_tasks() {
	local files=()
	mapfile -t files < <(find . -maxdepth 2 -name '*.gradle' -o -maxdepth 2 -name '*.gradle.kts')
	if grep -qE "task[ (]+[\"']?stage\b|(register|create)(<[A-Za-z]+>)?\([\"']stage[\"']" "${files[@]}"; then
		echo stage
	elif grep -qE "io\.ratpack|org\.springframework\.boot|io\.quarkus|shadow" "${files[@]}"; then
		echo assemble
	elif grep -qE "^ *(id[ (]+)?[\"']?\`?application\b|plugin: *[\"']application" "${files[@]}"; then
		echo installDist
	else
		echo assemble
	fi
}

# Sets GRADLE.
choose_gradle() {
	local url version
	[[ -f $WRAPPER ]] || fail "The Gradle wrapper is missing, so that nothing says which Gradle builds the app." \
		"Run \`gradle wrapper\` on your machine, commit gradlew and gradle/wrapper, and push again."
	url=$(sed -n 's/^distributionUrl *= *//p' "$WRAPPER" | sed 's/\\:/:/g' | tr -d '[:space:]')
	version=${url##*/}
	version=${version%.zip}
	[[ -n $url && $version == gradle-* ]] || fail "$WRAPPER names no distributionUrl of a gradle-VERSION-bin.zip."
	GRADLE_HOME=$CACHE_DIR/gradle/$version
	[[ -f $GRADLE_HOME/complete ]] || fetch_gradle "$url" "$version"
	GRADLE=$(echo "$GRADLE_HOME"/*/bin/gradle)
}

fetch_gradle() {
	local url=$1 sum
	[[ -z ${GRADLE_DISTRIBUTION_MIRROR:-} ]] || url=${GRADLE_DISTRIBUTION_MIRROR%/}/${1##*/}
	step "Fetching ${2%-bin}"
	rm -rf "$CACHE_DIR/gradle"
	mkdir -p "$GRADLE_HOME"
	if ! curl -fsSL --retry 2 --connect-timeout 20 --max-time 600 -o /tmp/gradle.zip "$url"; then
		fail "Gradle can't be fetched from $url, which $WRAPPER asks for." \
			"This server must reach that address, or a mirror of it that the config var GRADLE_DISTRIBUTION_MIRROR names," \
			"such as https://host/distributions (the file ${1##*/} below it)."
	fi
	sum=$(sed -n 's/^distributionSha256Sum *= *//p' "$WRAPPER" | tr -d '[:space:]')
	if [[ -n $sum && $sum != "$(sha256sum </tmp/gradle.zip | cut -d' ' -f1)" ]]; then
		fail "What $url gave is not the Gradle whose distributionSha256Sum $WRAPPER holds."
	fi
	unzip -q /tmp/gradle.zip -d "$GRADLE_HOME" || fail "What $url gave is not a zip file."
	rm /tmp/gradle.zip
	touch "$GRADLE_HOME/complete"
}
