# shellcheck shell=bash
# Download the packages with all that they need beyond the stack, and unpack them. Nothing of it takes root.

install_packages() {
	local inputs
	inputs=$(cat Aptfile /var/lib/dpkg/status "$BUILDPACK_DIR/lib/packages.sh" | sha256sum | cut -d' ' -f1)
	if [[ $(cat "$APT/.inputs" 2>/dev/null) == "$inputs" ]]; then
		step "Using the packages of the last build: the Aptfile hasn't changed"
		return
	fi
	rm -rf "$APT" /tmp/apt
	mkdir -p "$APT" /tmp/apt/{lists/partial,archives/partial,etc,debs}
	if ((${#PACKAGES[@]})); then download_packages; fi
	download_urls
	unpack
	echo "$inputs" >"$APT/.inputs"
}

download_packages() {
	prepare_apt
	step "Reading package lists"
	run_apt -qq update || fail "The package lists can't be read." "What apt says is above; push again when its host answers."
	step "Fetching ${PACKAGES[*]}"
	run_apt -qqy --download-only install "${PACKAGES[@]}" || fail_packages
	mv /tmp/apt/archives/*.deb /tmp/apt/debs/ 2>/dev/null || true
}

fail_packages() {
	fail "The packages in the Aptfile can't be had: the reason is above." \
		"Names are those of $(. /etc/os-release && echo "$PRETTY_NAME"), which differ from Ubuntu's here and there: https://packages.debian.org"
}

# Packages are chosen as if the stack's run image were all there is: what only builds have, the app doesn't.
prepare_apt() {
	python3 -IBS "$BUILDPACK_DIR/lib/status.py" /var/lib/dpkg/status /mothership/stack-run >/tmp/apt/status
	cat /etc/apt/sources.list >/tmp/apt/etc/sources.list
	if ((${#SOURCES[@]})); then printf '%s\n' "${SOURCES[@]}" >>/tmp/apt/etc/sources.list; fi
}

run_apt() {
	indented apt-get -o Dir::State=/tmp/apt -o Dir::State::lists=/tmp/apt/lists -o Dir::State::status=/tmp/apt/status \
		-o Dir::Cache=/tmp/apt -o Dir::Cache::archives=/tmp/apt/archives -o Debug::NoLocking=1 -o APT::Sandbox::User="" \
		-o Dir::Etc::sourcelist=/tmp/apt/etc/sources.list -o Dir::Log=/tmp/apt "$@"
}

download_urls() {
	local url
	for url in "${URLS[@]}"; do
		step "Fetching $url"
		curl -fsSL --retry 2 -o "/tmp/apt/debs/url-$(sha256sum <<<"$url" | cut -c1-12).deb" "$url" ||
			fail "$url can't be fetched." "Mend its line in the Aptfile, or push again when its host answers."
	done
}

unpack() {
	local deb count=0
	for deb in /tmp/apt/debs/*.deb; do
		[[ -f $deb ]] || continue
		detail "$(dpkg-deb -f "$deb" Package Version | sed 's/^[A-Za-z]*: //' | paste -sd ' ')"
		dpkg-deb -x "$deb" "$APT" || fail "${deb##*/} can't be unpacked." "Is it a Debian package?"
		count=$((count + 1))
	done
	rm -rf "$APT"/usr/share/{doc,man,info,lintian} /tmp/apt
	find "$APT" -type f -path '*/pkgconfig/*.pc' -exec sed -i "s#^prefix=/#prefix=$APT/#" {} +
	((count)) || detail "All of them are part of the stack"
}
