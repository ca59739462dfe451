# shellcheck shell=bash
# PHP-FPM behind Caddy, under the names of Heroku's commands.

install_server() {
	mkdir -p "$PHP_DIR/bin" "$PHP_DIR/conf.d"
	cmp -s /opt/caddy/caddy "$PHP_DIR/bin/caddy" || cp /opt/caddy/caddy "$PHP_DIR/bin/caddy"
	for file in serve fpm.sh caddyfile.sh; do
		cmp -s "$BUILDPACK_DIR/serve/$file" "$PHP_DIR/$file" || cp "$BUILDPACK_DIR/serve/$file" "$PHP_DIR/$file"
	done
	cmp -s "$BUILDPACK_DIR/serve/php.ini" "$PHP_DIR/conf.d/mothership.ini" || cp "$BUILDPACK_DIR/serve/php.ini" "$PHP_DIR/conf.d/mothership.ini"
	chmod +x "$PHP_DIR/serve"
	for name in heroku-php-apache2 heroku-php-nginx; do
		[[ -e $PHP_DIR/bin/$name ]] || ln -s ../serve "$PHP_DIR/bin/$name"
	done
}

# The same commands where Procfiles look for them. A package of Heroku's would bring others, for servers not here.
install_commands() {
	local directory
	directory=$(jq -r '.config["bin-dir"] // ((.config["vendor-dir"] // "vendor") + "/bin")' composer.json 2>/dev/null || echo vendor/bin)
	if [[ -d ${directory%/bin} ]] || grep -qs "$directory/heroku-php" Procfile; then
		mkdir -p "$directory"
		for name in heroku-php-apache2 heroku-php-nginx; do
			rm -f "$directory/$name"
			printf '#!/bin/sh\nexec "$HOME/.heroku/php/serve" "$@"\n' >"$directory/$name"
			chmod +x "$directory/$name"
		done
	fi
}

warn_of_other_servers() {
	local file
	file=$(sed -n 's/^web:.*heroku-php-[a-z0-9]* .*-[cC][ =]*\([^ ]*\).*/\1/p' Procfile 2>/dev/null | head -n 1 || true)
	if [[ -n $file && ${file##*/} != *.caddy && ${file##*/} != Caddyfile ]]; then
		warn "$file is not read: Caddy serves here. What has no file goes to index.php, so most apps need nothing else." \
			"For more, name a file of Caddy directives instead: -C site.caddy"
	fi
	if [[ -f .htaccess || -f public/.htaccess || -f web/.htaccess ]]; then
		detail "Note: .htaccess is not read. What has no file goes to index.php."
	fi
}

write_profile() {
	mkdir -p .profile.d
	# shellcheck disable=SC2016
	printf '%s\n' 'export PATH="$HOME/.heroku/php/bin:$HOME/vendor/bin:$PATH"' \
		'export PHP_INI_SCAN_DIR=${PHP_INI_SCAN_DIR-:$HOME/.heroku/php/conf.d}' >.profile.d/php.sh
	printf 'export PATH="%s/bin:%s/vendor/bin:$PATH" PHP_INI_SCAN_DIR=:%s/conf.d\n' "$PHP_DIR" "$BUILD_DIR" "$PHP_DIR" >"$BUILDPACK_DIR/export"
}
