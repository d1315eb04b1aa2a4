<?php

/** Reads bookings that a bank exports. */
class CsvImport
{
    /** Parse a file with one booking a line; broken lines are collected, not thrown. */
    public function read(string $path): array
    {
        $bookings = [];
        foreach (file($path) as $number => $line) {
            $fields = str_getcsv($line, ';');
            if (count($fields) < 3) {
                $this->errors[] = $number + 1;
                continue;
            }
            $bookings[] = ['date' => $fields[0], 'amount' => self::parseAmount($fields[2])];
        }
        return $bookings;
    }

    /** A number with a comma for the cents, as it is written in Germany. */
    private static function parseAmount(string $text): float
    {
        return (float) str_replace(',', '.', str_replace('.', '', $text));
    }
}

/** Find bookings that were imported twice. */
function find_duplicates(array $bookings): array
{
    $seen = [];
    return array_filter($bookings, function (array $booking) use (&$seen): bool {
        $key = $booking['date'] . '|' . $booking['amount'];
        $twice = isset($seen[$key]);
        $seen[$key] = true;
        return $twice;
    });
}
