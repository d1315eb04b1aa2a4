"""Run grammars and queries over a file: what matches, and where the syntax is broken."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from indexer.languages import grammars
from indexer.languages.masks import masked
from indexer.memory import resident_bytes
from indexer.types import ParseError

if TYPE_CHECKING:
    import tree_sitter

MAX_ERRORS = 20
"""Syntax errors named one by one; the rest are counted."""
MAX_NESTING = 800
"""Brackets open at once; the grammars need time that grows with the square of the depth."""
LARGE = 50_000
"""Bytes from which on a file is looked at for what would take the grammars too long."""
MAX_RATIO = 40
"""How much zlib shrinks code at most; only the same thing over and over shrinks more."""
TIME_LIMIT = 10.0
"""Seconds of CPU for the grammar on one file; the largest take less than one."""
REPETITIVE_TIME_LIMIT = 2.0
"""The same for a file that is the same thing over and over."""
MEMORY_LIMIT = 400_000_000
"""Bytes by which the process may grow meanwhile; ten kilobytes of odd code have taken several billion."""
MAX_CHILDREN = 20_000
"""Children of a broken node; a query takes time that grows with their square."""
MAX_LEVELS = 3
"""How often a broken stretch is cut further inside."""
MIN_RECOVERED_LINES = 4
"""Broken stretches from this length on are read again in pieces."""

Match = tuple[int, "dict[str, list[tree_sitter.Node]]"]


def read_matches(text: bytes, language: str) -> tuple[list[Match], list[ParseError]]:
    """All matches of the query of a language, and the places that the grammar could not read.

    Where a long stretch is broken, what follows the fault is lost to the grammar; so the stretch is cut
    where its outermost lines begin, and each piece is read by itself.
    """
    code = masked(text, language)
    if len(code) >= LARGE and nesting(code) > MAX_NESTING:
        return _read_shallow(code, language)
    try:
        return _read(code, language)
    except _TooSlowError:
        return [], [ParseError(0, "the grammar takes too long on this file; it is cut into blocks of lines")]


def _read(code: bytes, language: str) -> tuple[list[Match], list[ParseError]]:
    root = _parse(code, language)
    if not root.has_error:
        return _matches(root, language), []
    broken = _broken(root)
    matches = _matches_of_broken(root, broken, language)
    for region in _outermost(broken):
        matches += _recovered(code, region, language)
    return matches, _errors(broken)


def _recovered(code: bytes, region: tuple[int, int], language: str) -> list[Match]:
    """Matches in the pieces of a broken stretch; a piece that is broken itself is cut further inside."""
    matches: list[Match] = []
    pending = [(region, 0, 0)]
    while pending:
        (start, end), floor, level = pending.pop()
        margin, pieces = _pieces(code, start, end, floor)
        if level == MAX_LEVELS or margin < 0:
            continue
        if len(pieces) == 1:
            pending.append(((start, end), margin + 1, level + 1))
            continue
        for piece in pieces:
            part = _parse_range(code, *piece, language)
            broken = _broken(part) if part.has_error else []
            matches += _matches_of_broken(part, broken, language)
            pending.extend((inner, margin + 1, level + 1) for inner in _outermost(broken))
    return matches


class _TooSlowError(Exception):
    """A grammar ran out of time."""


def _matches_of_broken(root: tree_sitter.Node, broken: list[tree_sitter.Node], language: str) -> list[Match]:
    """The matches, if the query can get through what is broken in reasonable time."""
    return [] if any(node.child_count > MAX_CHILDREN for node in broken) else _matches(root, language)


def is_repetitive(code: bytes) -> bool:
    """Whether some part of a file is the same thing over and over, which a few grammars take very badly."""
    step = 1 << 16
    return any(
        len(window) > MAX_RATIO * len(zlib.compress(window, 1))
        for window in (code[start : start + step] for start in range(0, len(code), step))
    )


def _parse(code: bytes, language: str) -> tree_sitter.Node:
    repetitive = len(code) >= LARGE and is_repetitive(code)
    return _parse_within(code, language, REPETITIVE_TIME_LIMIT if repetitive else TIME_LIMIT)


def _parse_within(code: bytes, language: str, seconds: float) -> tree_sitter.Node:
    parser = grammars.parser(language)
    try:
        tree = parser.parse(
            lambda offset, _: code[offset : offset + 65_536],
            encoding="utf8",
            progress_callback=_Limits(seconds),
        )
    except ValueError:
        parser.reset()
        raise _TooSlowError from None
    return tree.root_node


class _Limits:
    """Tells the grammar to stop when it takes too much: some keep every way to read a few odd bytes."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.thread_time() + seconds
        self._most = resident_bytes() + MEMORY_LIMIT
        self._calls = 0
        self._reached = False

    def __call__(self, *_: object) -> bool:
        self._calls += 1
        if self._calls % 64 == 0:
            self._reached = time.thread_time() > self._deadline or resident_bytes() > self._most
        return self._reached


def nesting(code: bytes) -> int:
    """The largest number of brackets open at once, counted without regard to strings and comments."""
    import numpy as np

    steps = np.zeros(256, np.int8)
    steps[list(b"([{")] = 1
    steps[list(b")]}")] = -1
    depth = np.cumsum(steps[np.frombuffer(code, np.uint8)], dtype=np.int32)
    return int(depth.max(initial=0))


def _read_shallow(code: bytes, language: str) -> tuple[list[Match], list[ParseError]]:
    """The matches in those pieces of a file that are not nested out of all reason."""
    matches: list[Match] = []
    for start, end in _pieces(code, 0, len(code))[1]:
        if nesting(code[start:end]) <= MAX_NESTING:
            matches += _matches(_parse_range(code, start, end, language), language)
    message = f"more than {MAX_NESTING} brackets are open at once; only what stands outside is read"
    return matches, [ParseError(0, message)]


def _matches(root: tree_sitter.Node, language: str) -> list[Match]:
    from tree_sitter import QueryCursor

    return QueryCursor(grammars.query(language)).matches(root)


def _parse_range(code: bytes, start: int, end: int, language: str) -> tree_sitter.Node:
    from tree_sitter import Range

    parser = grammars.parser(language)
    # Lines count from the piece: nothing here reads the points of its nodes.
    parser.included_ranges = [Range((0, 0), (code.count(b"\n", start, end), 0xFFFF), start, end)]
    try:
        return _parse_within(code, language, REPETITIVE_TIME_LIMIT)
    finally:
        del parser.included_ranges


def _broken(root: tree_sitter.Node) -> list[tree_sitter.Node]:
    """The outermost nodes that the grammar could not read, and those it had to make up, in order.

    A walk and no query: on broken files a query for errors takes time that grows with the square of the
    size, and one for missing nodes has crashed.
    """
    found = []
    pending = [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            found.append(node)
        else:
            pending.extend(child for child in node.children if child.has_error)
    return sorted(found, key=lambda node: (node.start_byte, -node.end_byte))


def _outermost(nodes: list[tree_sitter.Node]) -> Iterator[tuple[int, int]]:
    last = -1
    for node in nodes:
        if node.end_byte > last and node.end_point[0] - node.start_point[0] >= MIN_RECOVERED_LINES:
            last = node.end_byte
            yield node.start_byte, node.end_byte


def _pieces(code: bytes, start: int, end: int, floor: int = 0) -> tuple[int, list[tuple[int, int]]]:
    """Ranges that begin where one of the least indented lines follows a blank line.

    Lines indented by less than `floor` do not count. Returns that indentation, -1 if there is none, and the
    ranges, which together are the whole stretch.
    """
    start = code.rfind(b"\n", 0, start) + 1
    lines = list(_indents(code, start, end))
    margin = min((indent for _, indent in lines if indent >= floor), default=-1)
    cuts = [start]
    for (_, above), (position, indent) in pairwise(lines):
        if indent == margin and above < 0:
            cuts.append(position)
    return margin, list(zip(cuts, [*cuts[1:], end], strict=True))


def _indents(code: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each line begins and how far it is indented, -1 for a blank one."""
    while start < end:
        newline = code.find(b"\n", start, end)
        stop = newline + 1 if newline >= 0 else end
        line = code[start:stop]
        yield start, len(line) - len(line.lstrip()) if not line.isspace() else -1
        start = stop


def _errors(broken: list[tree_sitter.Node]) -> list[ParseError]:
    errors = [
        ParseError(node.start_point[0], f"missing {node.type}" if node.is_missing else "syntax error")
        for node in broken[: MAX_ERRORS + 1]
    ]
    if len(broken) > MAX_ERRORS:
        errors[MAX_ERRORS] = ParseError(
            errors[MAX_ERRORS].line, f"{len(broken) - MAX_ERRORS} more syntax errors"
        )
    return errors
