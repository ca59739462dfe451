# shellcheck shell=bash
# Caddy's part: files as they are, PHP by FPM, everything else to the front controller index.php. What the router says
# of the client stays as it is.

write_caddyfile() {
	cat <<-CADDYFILE
		{
			admin off
			auto_https off
			log {
				level ERROR
			}
			servers {
				trusted_proxies static private_ranges
			}
		}
		:{\$PORT} {
			root * \`$ROOT\`
			encode zstd gzip
			@hidden {
				path_regexp (?i)(^|/)(\.|(composer\.(json|lock)|package(-lock)?\.json|app\.json|procfile|auth\.json)\$|(vendor|node_modules)/|[^/]*\.(phtml|phps|phar|inc|sql|sqlite)\$)
				not path /.well-known/*
			}
			respond @hidden 404
			@https header X-Forwarded-Proto https
			php_fastcgi @https unix/$RUN/fpm.sock {
				env HTTPS on
				header_up X-Forwarded-For {header.X-Forwarded-For}
			}
			php_fastcgi unix/$RUN/fpm.sock {
				header_up X-Forwarded-For {header.X-Forwarded-For}
			}
			file_server
			$(site_directives)
		}
	CADDYFILE
}

# Configuration of another server can't be read; bin/compile has said so.
site_directives() {
	case $SITE in
	*.caddy | *Caddyfile) echo "import \`$(realpath -- "$SITE")\`" ;;
	esac
}
