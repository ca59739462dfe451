"""The PHP buildpack: Composer, the web server and what it hides, versions and extensions that are not there."""

import json
import shutil
from pathlib import Path

from tests.engine.server import EXAMPLES, Server, until

COMPOSER = {
    "name": "test/app",
    "require": {"php": "^8.2", "ext-mbstring": "*", "test/shout": "*"},
    "repositories": [{"type": "path", "url": "packages/shout"}, {"packagist.org": False}],
    "scripts": {"compile": "@php -r \"file_put_contents('compiled.txt', 'compiled');\""},
}
LOCK = {
    "content-hash": "10244d844f7e0e2b9179f4e2d1ef6849",
    "packages": [
        {
            "name": "test/shout",
            "version": "1.0.0",
            "dist": {"type": "path", "url": "packages/shout", "reference": "3fe794ade4182906f0666102f159472539067e46"},
            "type": "library",
            "autoload": {"psr-4": {"Shout\\": "src/"}},
            "transport-options": {"relative": True},
        }
    ],
    "packages-dev": [],
    "aliases": [],
    "minimum-stability": "stable",
    "stability-flags": {},
    "prefer-stable": False,
    "prefer-lowest": False,
    "platform": {"php": "^8.2", "ext-mbstring": "*"},
    "platform-dev": {},
    "plugin-api-version": "2.6.0",
}
SHOUT = """<?php
namespace Shout;
class Shout { public static function it(string $text): string { return mb_strtoupper($text); } }
"""
INDEX = """<?php
require __DIR__ . '/../vendor/autoload.php';
error_log('asked for ' . $_SERVER['REQUEST_URI']);
echo json_encode([
    'said' => Shout\\Shout::it('hello'),
    'path' => $_SERVER['REQUEST_URI'],
    'limit' => ini_get('upload_max_filesize'),
    'compiled' => file_get_contents(__DIR__ . '/../compiled.txt'),
    'session' => session_start(),
]);
"""
APP = {
    "composer.json": json.dumps(COMPOSER),
    "composer.lock": json.dumps(LOCK),
    "packages/shout/composer.json": json.dumps(
        {"name": "test/shout", "version": "1.0.0", "autoload": {"psr-4": {"Shout\\": "src/"}}}
    ),
    "packages/shout/src/Shout.php": SHOUT,
    "public/index.php": INDEX,
    "public/.user.ini": "upload_max_filesize = 17M\n",
    "public/style.css": "p {}\n",
    "nginx.conf": "location / {}\n",
    "Procfile": "web: vendor/bin/heroku-php-nginx -C nginx.conf public/\n",
}


def test_composers_packages_stay_and_everything_without_a_file_goes_to_index_php(server: Server, folder: Path) -> None:
    server.commit(folder, APP)
    pushed = server.push(folder, "h-shop", timeout=400)
    assert pushed.code == 0, pushed.text
    assert "Using PHP 8.4." in pushed.text and "Installing test/shout (1.0.0)" in pushed.text
    assert "nginx.conf is not read" in pushed.text
    said = json.loads(server.get("h-shop", "/some/where?x=1").body)
    assert said == {
        "said": "HELLO",
        "path": "/some/where?x=1",
        "limit": "17M",
        "compiled": "compiled",
        "session": True,
    }
    assert server.get("h-shop", "/style.css").headers["content-type"].startswith("text/css")
    assert server.get("h-shop", "/.user.ini").status == 404
    assert until(lambda: "asked for /some/where?x=1" in server.ssh("logs h-shop").stdout)
    server.commit(folder, {"public/index.php": INDEX.replace("'hello'", "'good bye'")})
    pushed = server.push(folder, "h-shop")
    assert pushed.code == 0 and "Nothing to install, update or remove" in pushed.text, pushed.text
    assert json.loads(server.get("h-shop").body)["said"] == "GOOD BYE"


def test_a_repository_of_php_files_is_served_without_what_is_not_for_visitors(server: Server, folder: Path) -> None:
    files = {"index.php": "<?php echo 'home';", "about.php": "<?php echo 'about';", "config.inc": "secret"}
    server.commit(folder, {**files, "composer.json": '{"require": {"php": ">=8.1"}}', "vendor/lib/x.php": "<?php"})
    pushed = server.push(folder, "h-plain", timeout=400)
    assert pushed.code == 0, pushed.text
    assert server.get("h-plain").body == "home"
    assert server.get("h-plain", "/about.php").body == "about"
    for path in ("/composer.json", "/Composer.JSON", "/vendor/lib/x.php", "/config.inc", "/.profile.d/php.sh"):
        assert server.get("h-plain", path).status == 404, path


def test_the_process_ends_when_php_does_and_starts_again(server: Server, folder: Path) -> None:
    server.commit(folder, {"index.php": "<?php echo 'home';"})
    pushed = server.push(folder, "h-mortal", timeout=400)
    assert pushed.code == 0, pushed.text
    (served,) = server.containers(app="h-mortal")
    server.execute(str(served["Id"]), "pkill", "-o", "php-fpm")
    assert until(lambda: "PHP-FPM has ended" in server.ssh("logs h-mortal").stdout, seconds=60)
    assert until(lambda: _body(server, "h-mortal") == "home", seconds=40)


def _body(server: Server, app: str) -> str:
    try:
        return server.get(app).body
    except OSError:
        return ""


def test_a_php_or_an_extension_that_is_not_there_is_an_error_that_lists_what_is(server: Server, folder: Path) -> None:
    server.commit(folder, {"index.php": "", "composer.json": '{"require": {"php": "^7.4"}}'})
    pushed = server.push(folder, "h-none")
    assert pushed.code == 1, pushed.text
    assert "composer.json asks for PHP ^7.4" in pushed.text and "What there is: 8.4, 8.2" in pushed.text
    server.commit(folder, {"composer.json": '{"require": {"ext-swoole": "*"}}'})
    pushed = server.push(folder, "h-none", timeout=400)
    assert pushed.code == 1, pushed.text
    assert "ext-swoole (composer.json)" in pushed.text and " mbstring " in pushed.text
    server.commit(folder, {"composer.json": "{"})
    pushed = server.push(folder, "h-none")
    assert pushed.code == 1 and "composer.json is not valid JSON" in pushed.text


def test_the_php_example_is_served(server: Server, folder: Path) -> None:
    shutil.copytree(EXAMPLES / "php", folder, dirs_exist_ok=True)
    server.commit(folder)
    pushed = server.push(folder, "h-example", timeout=400)
    assert pushed.code == 0, pushed.text
    assert "Hello from PHP on Mothership" in server.get("h-example").body
