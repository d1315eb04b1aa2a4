"""What a person sees on a terminal, and the plain form of it when output goes to a file or a pipe.

Paths, symbols and code come from repositories nobody vouches for, so whatever is printed passes `safe`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from indexer.doctor import Finding
    from indexer.types import Answer, Function, SearchResult, SkippedFile, UpdateReport

_BAR = 40  # characters
_SNIPPET_LINES = 8
_LINE_CHARS = 400  # minified code has lines of megabytes
_SIGNALS_SHOWN = 8  # --json has all of them
_SOURCE_BYTES = 64_000_000
_SKIPPED_SHOWN = 3
# Control characters, and marks that reorder text so that it reads as something else than it is.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_CPU_LINE = "No GPU in use: embedding runs on the CPU, which is much slower. `codewhere doctor` says why."


def bars(rows: Sequence[tuple[str, float, str]]) -> Iterator[str]:
    """A line for each name, with a bar of its share, from 0 to 1 for the full width, and what is said of it."""
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, share, said in rows:
        bar = "█" * max(1, round(_BAR * share))
        yield f"{name:<{width}}  {bar:<{_BAR}}  {said}"


def safe(text: str) -> str:
    """One line of text that cannot steer a terminal: what could do so is spelled out."""
    return _UNSAFE.sub(_escape, text.replace("\t", "    "))


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if "\udc80" <= character <= "\udcff":
        # A byte of a file name that is not valid UTF-8.
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def safe_lines(text: str) -> str:
    """Like `safe`, but line ends stay."""
    return "\n".join(safe(line.removesuffix("\r")) for line in text.split("\n"))


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Rich would end the process with status 1; that `head` has read enough is no failure.
        raise BrokenPipeError


def make_console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: no markup, no emoji codes, no guessed highlighting."""
    return _Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """One JSON value on one line, in ASCII: nothing of a repository reaches the terminal as it is."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def print_line(line: str) -> None:
    """One line of output, at once, so that whoever reads a pipe sees it."""
    make_console().print(Text(safe(line)))
    sys.stdout.flush()


def say(message: str, style: str = "") -> None:
    """A message about the run, on stderr, so that it never mixes with answers."""
    make_console(stderr=True).print(Text(safe_lines(message), style=style))


def say_cpu() -> None:
    """The one loud line about a missing GPU."""
    say(_CPU_LINE, "bold yellow")


def count(number: int, noun: str) -> str:
    """``1 function``, ``2,000 functions``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def bytes_text(size: float) -> str:
    """A size in bytes for a person: ``3.4 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


@dataclass(frozen=True)
class _Glyphs:
    """Marks that the terminal's encoding can show."""

    gap: str
    answers: str
    dot: str

    @staticmethod
    def of(console: Console) -> _Glyphs:
        if console.encoding.lower().startswith("utf"):
            return _Glyphs("…", "▌", " · ")
        return _Glyphs("...", ">", " - ")


def print_answer(answer: Answer, *, explain: bool = False, console: Console | None = None) -> None:
    """The results one below the other; notes go to stderr."""
    console = console or make_console()
    glyphs = _Glyphs.of(console)
    for number, result in enumerate(answer.results, 1):
        _print_result(console, glyphs, number, result, explain)
    if not answer.results:
        say("Nothing found.")
    for note in answer.notes:
        say(note, "dim")
    if console.is_terminal and answer.results:
        parts = (
            count(len(answer.results), "result"),
            f"{answer.elapsed_ms:.0f} ms",
            _coverage(answer.coverage),
        )
        console.print(Text(glyphs.dot.join(parts), style="dim"))


def _coverage(coverage: float) -> str:
    return f"{int(coverage * 100)} % of the functions have a vector"


def _print_result(
    console: Console, glyphs: _Glyphs, number: int, result: SearchResult, explain: bool
) -> None:
    function = result.function
    highlight = _highlighter(result.why.terms)
    title = Text().append(f"{number}  ", "dim")
    title.append_text(highlight(Text(safe(function.symbol) or "(file)", style="bold")))
    details = ", ".join(part for part in (function.kind, function.language, result.demoted) if part)
    console.print(title.append(f"  {safe(details)}", style="dim"))
    console.print(Text("   ").append_text(_location(result)))
    for row in _snippet(result, glyphs, highlight):
        _print_code(console, row)
    if explain:
        console.print(Text(f"   {safe(_explanation(result, glyphs))}", style="cyan"))
    console.print()


def _print_code(console: Console, row: Text) -> None:
    # A terminal shows the beginning of a long line; a file or a pipe gets it whole.
    if console.is_terminal:
        console.print(row, no_wrap=True, overflow="ellipsis", crop=True, soft_wrap=False)
    else:
        console.print(row)


def _location(result: SearchResult) -> Text:
    """``path:first-last``, linked to the file where the terminal can do that."""
    full = Path(result.root) / result.function.path
    lines = (
        f"{result.function.start_line + 1}-{max(result.function.end_line, result.function.start_line + 1)}"
    )
    try:
        link = full.as_uri()
    except ValueError:  # the locale cannot express the name
        link = None
    return Text(f"{safe(_shown_path(full))}:{lines}", style=Style(color="blue", link=link))


def _shown_path(full: Path) -> str:
    """Relative to the working folder where that is shorter to read, so that it can be opened from there."""
    try:
        return str(full.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(full)


def _highlighter(terms: Sequence[str]) -> Callable[[Text], Text]:
    words = sorted((re.escape(term) for term in terms if len(term) > 1), key=len, reverse=True)
    # Terms are stems, so the word goes on behind them as far as its case does.
    pattern = re.compile(f"(?i:{'|'.join(words)})[a-z]*") if words else None

    def highlight(text: Text) -> Text:
        if pattern is not None:
            text.highlight_regex(pattern, "bold yellow")
        return text

    return highlight


def _snippet(result: SearchResult, glyphs: _Glyphs, highlight: Callable[[Text], Text]) -> Iterator[Text]:
    source = _source_lines(result)
    lines = result.function.body.split("\n") if source is None else source
    answering = set() if source is None else _answering(result, source)
    first = result.function.start_line
    chosen = _choose_lines(lines, _head(result, lines), answering)
    width = len(str(first + len(lines)))
    for previous, index in zip((-1, *chosen), chosen, strict=False):
        if previous >= 0 and any(line.strip() for line in lines[previous + 1 : index]):
            yield Text(f"   {' ' * width}   {glyphs.gap}", style="dim")
        mark = glyphs.answers if index in answering else " "
        number = " " * width if source is None else f"{first + index + 1:>{width}}"
        code = highlight(Text(safe(lines[index].removesuffix("\r")[:_LINE_CHARS])))
        # The style of a whole Text holds for what is appended too, so this one has none of its own.
        yield Text().append(f"   {number} {mark} ", "dim").append_text(code)


def _answering(result: SearchResult, lines: Sequence[str]) -> set[int]:
    """Indices of the lines that answer; what was edited since must not be marked."""
    first = result.function.start_line
    given = {line - first for start, end in result.why.lines for line in range(start, end)}
    words = [term.lower() for term in result.why.terms]
    return {
        index
        for index in given
        if 0 <= index < len(lines) and any(word in lines[index].lower() for word in words)
    }


def _head(result: SearchResult, lines: Sequence[str]) -> int:
    """Index of the line with the signature, below decorators and comments."""
    signature = result.function.signature.split("\n", 1)[0].strip()
    first = result.function.body.split("\n", 1)[0].strip()
    heads = (signature, first)
    found = (index for head in heads for index, line in enumerate(lines) if head and head in line)
    return next(found, 0)


def _choose_lines(lines: Sequence[str], head: int, answering: set[int]) -> list[int]:
    """Indices of the lines worth showing: the head and those that answer with their neighbours, else the top."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    if not answering:
        return [index for index in filled if index >= head][:_SNIPPET_LINES]
    wanted = [head, *sorted(answering - {head})]
    around = [index + step for index in wanted[1:] for step in (-1, 1)]
    wanted.extend(index for index in dict.fromkeys(around) if index not in wanted and index in filled)
    return sorted(wanted[:_SNIPPET_LINES])


def _source_lines(result: SearchResult) -> list[str] | None:
    """The function's lines as they are in the file, or None where they are not what was indexed."""
    from indexer.languages import source
    from indexer.walk import read_source

    function = result.function
    try:
        content = read_source(Path(result.root), function.path, max_file_bytes=_SOURCE_BYTES)
    except ValueError:  # the locale cannot express the name
        return None
    if not isinstance(content, bytes):
        return None
    read = source.read_source(content)
    before, whole = (
        content[read.shift : end].decode(read.encoding, "replace")
        for end in (function.start_byte, function.end_byte)
    )
    newline = "\n" if b"\n" in read.whole else "\r"
    lines = whole.split(newline)[function.start_line :]  # with the indentation of the first line
    is_there = before.count(newline) == function.start_line and _holds(lines, function)
    return lines if is_there else None


def _holds(lines: Sequence[str], function: Function) -> bool:
    """Whether lines are those of a function; of others only the first, as members are cut short there."""
    from indexer.types import FUNCTION_KINDS

    there = {line.strip() for line in lines}
    wanted = [line.strip() for line in function.body.split("\n")]
    if function.kind in FUNCTION_KINDS:
        return there.issuperset({*wanted} - {""})
    return next(filter(None, wanted), "") in there


def _explanation(result: SearchResult, glyphs: _Glyphs) -> str:
    why = result.why
    parts = [f"score {result.score:.4f}"]
    parts.append("by meaning: " + (f"rank {why.dense_rank}" if why.dense_rank else "not among the first"))
    words = f"rank {why.lexical_rank}" if why.lexical_rank else "not among the first"
    parts.append(f"by words: {words}" + (f" ({', '.join(why.terms)})" if why.terms else ""))
    strongest = sorted(why.signals.items(), key=lambda signal: -abs(signal[1]))[:_SIGNALS_SHOWN]
    parts.extend(f"{name} {value:+.2f}" for name, value in strongest)
    return glyphs.dot.join(parts)


def print_update(report: UpdateReport, *, verbose: bool = False, console: Console | None = None) -> None:
    """The summary of an update, with what was left out and why."""
    console = console or make_console()
    console.print(Text(safe(update_line(report))))
    for line in _skipped_lines(report.skipped, verbose):
        console.print(Text(line, style="dim"))


def update_line(report: UpdateReport) -> str:
    """One line about an update."""
    parts = [
        f"{count(report.files, 'file')}",
        f"{report.parsed:,} parsed",
        count(report.functions, "function"),
        f"{report.embedded:,} embedded",
        f"{report.reused:,} reused",
    ]
    if report.removed:
        parts.append(f"{report.removed:,} removed")
    return f"{', '.join(parts)} in {report.elapsed_s:.1f} s"


def _skipped_lines(skipped: Iterable[SkippedFile], verbose: bool) -> Iterator[str]:
    by_reason: dict[str, list[SkippedFile]] = {}
    for entry in skipped:
        by_reason.setdefault(entry.reason.partition(":")[0], []).append(entry)
    for reason, entries in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        if verbose:
            yield from (f"  skipped {safe(entry.path)}: {safe(entry.reason)}" for entry in entries)
            continue
        names = ", ".join(safe(entry.path) for entry in entries[:_SKIPPED_SHOWN])
        rest = len(entries) - _SKIPPED_SHOWN
        more = f" and {rest:,} more; --verbose names them" if rest > 0 else ""
        yield f"  skipped {count(len(entries), 'file')}, {safe(reason)} ({names}{more})"


def print_table(rows: Sequence[Sequence[str]], header: Sequence[str], console: Console | None = None) -> None:
    """Aligned columns without borders; the last column is not cut."""
    console = console or make_console()
    safe_rows = [[safe(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(header, *safe_rows, strict=True)]
    for index, row in enumerate((header, *safe_rows)):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        console.print(Text(line, style="" if index else "bold"))


def print_finding(finding: Finding) -> None:
    """One line of the doctor, and one with what to do."""
    console = make_console()
    style = {"ok": "green", "warn": "bold yellow", "fail": "bold red"}.get(finding.level, "")
    line = Text().append(f"{finding.level:<5}", style).append(safe(f"{finding.check}: {finding.message}"))
    console.print(line)
    if finding.advice:
        console.print(Text(f"     {safe(finding.advice)}"))


def tolerate_any_encoding() -> None:
    """A terminal that is not UTF-8 gets escapes in place of an exception."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def forget_stdout() -> None:
    """After the reader of a pipe went away, nothing more may be written, not even at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
