<?php

namespace Example;

final class Greeting
{
    public static function page(string $process, string $release): string
    {
        return "<h1>Hello from PHP on Mothership</h1>\n"
            . "<p>Process {$process}, release {$release}, PHP " . PHP_VERSION . "</p>\n"
            . '<link rel="stylesheet" href="/style.css">' . "\n";
    }
}
