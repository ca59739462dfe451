# shellcheck shell=bash
# The JDK: Debian's, which the stack has because bin/stack asked for it.

use_jdk() {
	local homes=(/usr/lib/jvm/java-"$MAJOR"-openjdk-*)
	if [[ ! -x ${homes[0]}/bin/javac ]]; then
		fail "Java $MAJOR is not in this build's image (it has: ${MOTHERSHIP_EXTRAS:-nothing}). Push again."
	fi
	export JAVA_HOME=${homes[0]}
	export PATH=$JAVA_HOME/bin:$PATH
	local version
	version=$(sed -n 's/^JAVA_VERSION="\(.*\)"/\1/p' "$JAVA_HOME/release")
	if [[ -z $ASKED ]]; then
		step "Using Java $version, the default; java.runtime.version=$MAJOR in system.properties fixes it"
	else
		step "Using Java $version ($PLACE asks for $ASKED)"
	fi
}

# The server's own certificates (SSL_CERT_FILE) as a store that Java reads, made again when they change.
trust_certificates() {
	local bundle=${SSL_CERT_FILE:-} store=$CACHE_DIR/trust.p12 marker=$CACHE_DIR/trust.inputs inputs
	if [[ ! -s $bundle ]]; then return; fi
	inputs="$MAJOR $(sha256sum <"$bundle")"
	if [[ ! -f $store || $(cat "$marker" 2>/dev/null) != "$inputs" ]]; then
		javac -d /tmp/trust "$BUILDPACK_DIR/lib/Trust.java" 2>/dev/null &&
			java -cp /tmp/trust Trust "$bundle" "$store" 2>/dev/null ||
			fail "The server's certificates in $bundle can't be made a trust store for Java."
		echo "$inputs" >"$marker"
	fi
	JAVA_TOOL_OPTIONS+=" -Djavax.net.ssl.trustStore=$store -Djavax.net.ssl.trustStorePassword=changeit"
	JAVA_TOOL_OPTIONS+=" -Djavax.net.ssl.trustStoreType=PKCS12"
}
