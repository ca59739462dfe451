#!/bin/sh
# Install the packages a file lists (one a line, # for comments), leaving no lists or caches in the layer.
set -eu
packages=$(sed 's/#.*//' "$1")
export DEBIAN_FRONTEND=noninteractive
if [ -s /run/secrets/ca ]; then
	set -- -o "Acquire::https::CAInfo=/run/secrets/ca"
else
	set --
fi
echo "::: Reading package lists"
apt-get "$@" -q update
echo "::: Installing $(echo $packages | wc -w) packages"
apt-get "$@" -qy --no-install-recommends install $packages
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old
