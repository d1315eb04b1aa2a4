"""Cut long stretches of lines into blocks of a bounded size."""

from __future__ import annotations

from collections.abc import Iterator

MAX_LINES = 60
"""Lines of a block; about a screen, and within the window of the embedders."""
MAX_BYTES = 3000
"""Bytes of a block; a longer line is cut as well."""


def split_blocks(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Ranges that cover every non-blank byte of ``text[start:end]``, each within the two limits.

    Cuts are made where a blank line is followed by the least indented line, else before the least
    indented line, else anywhere.
    """
    if end - start <= MAX_BYTES and text.count(b"\n", start, end) < MAX_LINES:
        block = _stripped(text, start, end)
        if block:
            yield block
        return
    lines = list(_lines(text, start, end))
    first = 0
    while first < len(lines):
        last = _reach(lines, first)
        if last < len(lines):
            last = _best_cut(text, lines, first, last)
        block = _stripped(text, lines[first][0], lines[last - 1][1])
        if block:
            yield block
        first = last


def _lines(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        newline = text.find(b"\n", start, min(end, start + MAX_BYTES))
        stop = newline + 1 if newline >= 0 else min(end, start + MAX_BYTES)
        while stop < end and text[stop] & 0xC0 == 0x80:
            stop += 1
        yield start, stop
        start = stop


def _reach(lines: list[tuple[int, int]], first: int) -> int:
    """The index after the last line that still fits."""
    last = first + 1
    while last < len(lines) and last - first < MAX_LINES and lines[last][1] - lines[first][0] <= MAX_BYTES:
        last += 1
    return last


def _best_cut(text: bytes, lines: list[tuple[int, int]], first: int, last: int) -> int:
    best, best_cost = last, (1, 1 << 30)
    # The first third is left alone so that blocks do not become needlessly small.
    for cut in range(last, first + max(1, (last - first) // 3), -1):
        line = text[lines[cut][0] : lines[cut][1]]
        if not line.strip():
            continue
        blank_before = not text[lines[cut - 1][0] : lines[cut - 1][1]].strip()
        cost = (0 if blank_before else 1, len(line) - len(line.lstrip()))
        if (cost[1], cost[0]) < (best_cost[1], best_cost[0]):
            best, best_cost = cut, cost
    return best


def _stripped(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    block = text[start:end]
    left = len(block) - len(block.lstrip())
    return (start + left, start + len(block.rstrip())) if left < len(block) else None
