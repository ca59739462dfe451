#!/bin/sh
# Install what extras list: package names, one a line, # for comments. A line `# suite: NAME` takes a list's packages
# from that suite of the archive (a mirror of it may be old, so its date is not checked; its signature is).
set -eu
here=$(dirname "$0")
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
export DEBIAN_FRONTEND=noninteractive
other=/etc/apt/sources.list.d/extra-suite.list
pin=/etc/apt/preferences.d/extra-suite

apt() {
	if [ -s /run/secrets/ca ]; then
		apt-get -o Acquire::https::CAInfo=/run/secrets/ca "$@"
	else
		apt-get "$@"
	fi
}

for list in "$@"; do
	packages=$(sed 's/#.*//' "$here/$list")
	suite=$(sed -n 's/^# *suite: *//p' "$here/$list")
	[ -n "$(echo $packages)" ] || continue
	rm -f "$other" "$pin"
	if [ -n "$suite" ]; then
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
			sed -n "s/^deb \(.*\) $own main.*/deb [check-valid-until=no] \1 $suite main/p" | grep -v security >"$other"
		printf 'Package: *\nPin: release n=%s\nPin-Priority: 100\n' "$suite" >"$pin"
	fi
	echo "::: Reading package lists"
	apt -q update
	echo "::: Installing $(echo $packages | wc -w) packages of ${list%.*}"
	apt ${suite:+-t "$suite"} -qy --no-install-recommends install $packages
done
rm -f "$other" "$pin"
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old
