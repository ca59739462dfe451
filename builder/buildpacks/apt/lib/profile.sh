# shellcheck shell=bash
# What the app finds when it runs, and what later buildpacks find: programs, libraries, headers, pkg-config files.

write_profile() {
	local triplet libraries headers
	triplet=$(dpkg-architecture -q DEB_HOST_MULTIARCH 2>/dev/null || gcc -dumpmachine)
	libraries=$(joined "usr/lib/$triplet" usr/lib "lib/$triplet" lib "usr/lib/$triplet/"{blas,lapack,openblas-pthread,pulseaudio})
	headers=$(joined usr/include "usr/include/$triplet")
	mkdir -p .profile.d
	{
		printf 'export PATH="%s${PATH:+:$PATH}"\n' "$APT/usr/bin:$APT/usr/sbin:$APT/bin"
		printf 'export LD_LIBRARY_PATH="%s${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"\n' "$libraries"
		printf 'export LIBRARY_PATH="%s${LIBRARY_PATH:+:$LIBRARY_PATH}"\n' "$libraries"
		printf 'export CPATH="%s${CPATH:+:$CPATH}"\n' "$headers"
		printf 'export PKG_CONFIG_PATH="%s${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"\n' \
			"$APT/usr/lib/$triplet/pkgconfig:$APT/usr/lib/pkgconfig:$APT/usr/share/pkgconfig"
	} >.profile.d/000_apt.sh
	cp .profile.d/000_apt.sh "$BUILDPACK_DIR/export"
}

# joined PATH...: the folders below .apt that are there, as a search path; the first in any case.
joined() {
	local path found=$APT/$1
	for path in "${@:2}"; do
		if [[ -d $APT/$path ]]; then found+=:$APT/$path; fi
	done
	printf '%s' "$found"
}
