<?php

/** Parse a CSV file line by line. */
function csv_read_file(string $path): array
{
    return array_map('str_getcsv', file($path));
}
