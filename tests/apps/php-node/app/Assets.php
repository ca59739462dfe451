<?php

namespace Pages;

final class Assets
{
    public static function named(string $name): string
    {
        $manifest = json_decode(file_get_contents(__DIR__ . '/../public/build/manifest.json'), true);
        return '/build/' . $manifest[$name];
    }
}
