<?php

require __DIR__ . '/../vendor/autoload.php';

echo Library\Page::show(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
