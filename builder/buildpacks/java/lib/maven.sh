# shellcheck shell=bash
# Maven: the app's wrapper, the version that system.properties names, or the stack's own.

CENTRAL=https://repo.maven.apache.org/maven2

build_with_maven() {
	local goals=() options=() settings=()
	choose_maven
	maven_settings
	mapfile -t goals < <(words "${MAVEN_CUSTOM_GOALS:-clean install}")
	mapfile -t options < <(words "${MAVEN_CUSTOM_OPTS:--DskipTests}")
	export MAVEN_OPTS=${MAVEN_JAVA_OPTS:--Xmx1024m -XX:+UseSerialGC -XX:TieredStopAtLevel=1}
	step "Building with Maven: ${MAVEN##*/} ${options[*]} ${goals[*]}"
	shrink_maven
	local known="-Dmaven.repo.local=$CACHE_DIR/.m2/repository"
	if ! talk "$MAVEN" -B -ntp "$known" "${settings[@]}" "${options[@]}" "${goals[@]}"; then
		fail "Maven could not build the app: the reason is above." \
			"To see it on your machine: ${MAVEN##*/} ${options[*]} ${goals[*]}" \
			"Other goals and options: mothership config:set MAVEN_CUSTOM_GOALS=… MAVEN_CUSTOM_OPTS=…"
	fi
}

# Sets MAVEN.
choose_maven() {
	local version
	case $(build_tool) in
	maven-version)
		version=$(property maven.version)
		fetch_maven "$version"
		MAVEN=$CACHE_DIR/maven/apache-maven-$version/bin/mvn
		;;
	mvnw)
		chmod +x mvnw
		MAVEN=./mvnw
		if ! fetch_wrapped; then
			fail "The Maven wrapper can't fetch its Maven: $(sed -n 's/^distributionUrl *= *//p' .mvn/wrapper/maven-wrapper.properties)" \
				"The address must be reachable from this server. MVNW_REPOURL=https://host/maven2 names another repository," \
				"and without the files mvnw and .mvn/wrapper the stack's own Maven builds the app."
		fi
		;;
	mvn) MAVEN=mvn ;;
	esac
}

# The wrapper fetches its Maven at its first call; what is already here needs no call of its own.
fetch_wrapped() {
	local inputs
	inputs=$(sha256sum <.mvn/wrapper/maven-wrapper.properties)
	if [[ -d $MAVEN_USER_HOME/wrapper && $(cat "$CACHE_DIR/wrapper.inputs" 2>/dev/null) == "$inputs" ]]; then return; fi
	talk ./mvnw -q -v || return 1
	echo "$inputs" >"$CACHE_DIR/wrapper.inputs"
}

fetch_maven() {
	local name=apache-maven-$1 url
	url=${MVNW_REPOURL:-$CENTRAL}/org/apache/maven/apache-maven/$1/$name-bin.tar.gz
	if [[ -x $CACHE_DIR/maven/$name/bin/mvn ]]; then return; fi
	[[ $1 =~ ^[0-9][0-9A-Za-z.-]*$ ]] || fail "system.properties asks for Maven \"$1\", which is not a version." "Such as: maven.version=3.9.9"
	step "Fetching Maven $1"
	rm -rf "$CACHE_DIR/maven" /tmp/maven.tar.gz
	mkdir -p "$CACHE_DIR/maven"
	if ! curl -fsSL --retry 2 --max-time 300 -o /tmp/maven.tar.gz "$url" || ! verified /tmp/maven.tar.gz "$url.sha512"; then
		fail "Maven $1, which system.properties asks for, can't be fetched: $url" \
			"Is that a version of Maven? Without maven.version the stack's own builds the app." \
			"MVNW_REPOURL=https://host/maven2 names another repository."
	fi
	tar -xzf /tmp/maven.tar.gz -C "$CACHE_DIR/maven"
}

verified() {
	local sum
	sum=$(curl -fsSL --retry 2 --max-time 60 "$2") && [[ $(sha512sum <"$1" | cut -d' ' -f1) == "${sum%% *}" ]]
}

# Fills `settings`. An address may hold a password, so it isn't said in an argument.
maven_settings() {
	if [[ -n ${MAVEN_SETTINGS_PATH:-} ]]; then
		[[ -f $MAVEN_SETTINGS_PATH ]] || fail "MAVEN_SETTINGS_PATH names $MAVEN_SETTINGS_PATH, which is not in the repository."
		settings=(-s "$MAVEN_SETTINGS_PATH")
	elif [[ -n ${MAVEN_SETTINGS_URL:-} ]]; then
		printf 'url = "%s"\n' "$MAVEN_SETTINGS_URL" | curl -fsSL --retry 2 --max-time 60 -o /tmp/settings.xml -K - ||
			fail "The file that MAVEN_SETTINGS_URL names can't be fetched." "Is the address right, and reachable from this server?"
		settings=(-s /tmp/settings.xml)
	elif [[ -f settings.xml ]]; then
		settings=(-s settings.xml)
	fi
	# The server's mirror of Maven Central: Mavens before 3.9 don't read MAVEN_ARGS.
	if [[ ${MAVEN_ARGS:-} == "-gs /mothership/settings.xml" ]]; then
		unset MAVEN_ARGS
		settings+=(-gs /mothership/settings.xml)
	fi
}

# The local repository only ever grows.
shrink_maven() {
	local kilobytes
	kilobytes=$(du -sk "$CACHE_DIR/.m2/repository" 2>/dev/null | cut -f1 || true)
	if ((${kilobytes:-0} > 3 * 1024 * 1024)); then
		detail "Emptying the cache of Maven packages, which has passed 3 GB"
		rm -rf "$CACHE_DIR/.m2/repository"
	fi
}
