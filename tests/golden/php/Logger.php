<?php declare(strict_types=1);

/*
 * This file is part of Example.
 *
 * (c) Example <mail@example.com>
 */

namespace Example\Log;

use Psr\Log\LoggerInterface;

const LEVEL = 3;

/**
 * Writes records.
 *
 * @author Somebody
 */
#[Attribute]
final class Logger extends Base implements LoggerInterface
{
    use Formats;

    private const LIMIT = 10;

    /** @var string[] */
    protected array $records = [];

    /** The level below which nothing is written. */
    #[Setting]
    public string $threshold = 'info' {
        get => strtolower($this->threshold);
        set(string $value) {
            $this->threshold = trim($value);
        }
    }

    public string $title { get => ucfirst($this->name); }

    abstract public int $size { get; }

    public function __construct(private string $name) {}

    /**
     * Writes one record.
     *
     * @param string $message what to write
     */
    #[Deprecated]
    public static function write(string $message, array $context = []): bool
    {
        $format = function (string $text) use ($context): string {
            return strtr($text, $context);
        };
        $upper = fn ($x) => strtoupper($x);

        return (bool) $format($upper($message));
    }

    abstract protected function flush(): void;
}

interface Handler
{
    public function handle(array $record): bool;
}

trait Formats
{
    public function format($record) { return (string) $record; }
}

enum Level: int
{
    case Low = 1;
    case High = 2;

    public function label(): string { return ucfirst($this->name); }
}

/** Adds two numbers. */
function add(int $a, int $b): int
{
    return $a + $b;
}

# Doubles.
$double = function ($x) { return $x * 2; };

echo add(1, 2);
?>
<p>Some <b>markup</b></p>
