# shellcheck shell=bash
# The Aptfile: names of packages, URLs of .deb files, `:repo:` and a line of a sources.list; # begins a comment.

# Sets PACKAGES, URLS and SOURCES.
read_aptfile() {
	local line word
	PACKAGES=() URLS=() SOURCES=()
	while IFS= read -r line || [[ -n $line ]]; do
		line=$(sed 's/\r$//; s/^#.*//; s/[[:space:]]#.*//; s/^[[:space:]]*//; s/[[:space:]]*$//' <<<"$line")
		case $line in
		'') ;;
		:repo:*) SOURCES+=("${line#:repo:}") ;;
		http://*.deb | https://*.deb) URLS+=("$line") ;;
		*) for word in $line; do add_package "$word"; done ;;
		esac
	done <Aptfile
}

add_package() {
	if [[ ! $1 =~ ^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?(=[A-Za-z0-9.+:~-]+)?$ ]]; then
		fail "\"${1:0:60}\" in the Aptfile is not the name of a package." \
			"A line is a name, such as ffmpeg; the URL of a .deb file; or :repo: and a line of a sources.list."
	fi
	PACKAGES+=("$1")
}
