<?php

namespace Library;

final class Page
{
    public static function show(string $path): string
    {
        $number = new \NumberFormatter('de_DE', \NumberFormatter::DECIMAL);
        return $path . ': ' . $number->format(\Shelf\Shelf::books()) . ' books';
    }
}
