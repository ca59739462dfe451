<?php

require __DIR__ . '/../vendor/autoload.php';

echo 'script at ' . Pages\Assets::named('app.js');
