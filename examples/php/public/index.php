<?php

require __DIR__ . '/../vendor/autoload.php';

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

if ($path === '/') {
    echo Example\Greeting::page(getenv('DYNO') ?: 'web', getenv('HEROKU_RELEASE_VERSION') ?: 'v1');
} else {
    http_response_code(404);
    echo "There is nothing at " . htmlspecialchars($path) . "\n";
}
