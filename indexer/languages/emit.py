"""From units to functions: body, doc comment and signature, and blocks for the code outside all units."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from indexer.languages import comments
from indexer.languages.blocks import split_blocks
from indexer.languages.registry import Language
from indexer.languages.units import Unit, enclosing, is_first

MAX_LISTED = 8000
"""Characters of member signatures in the declaration of a type; the members are units of their own."""
MAX_SIGNATURE = 400
"""Characters of one signature within the declaration of a type."""

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_CLOSING_LINE = re.compile(
    rb"\s*(?:(?:[}\])>;,]+|end\b|#\s*endif\b|\?>|@end\b|GO\b)[\s;,)\]}]*(?://.*|/\*.*\*/|#.*|--.*)?)?\s*"
)
_NOISE = re.compile(
    rb"[\x00-/:-@\[-`{-\x7f]{0,400}|\s*//[ \t]*MARK:[ \t]*-?\s*|\s*#[ \t]*else\s*"
    rb"|(?:\s*#(?:if|ifdef|ifndef|elif|else|endif)\b[^\n]{0,200}){1,9}\s*"
)
"""Rules, marks and directives: nothing that anybody would look for by itself."""
_SEPARATOR = re.compile(rb"[ \t]*[,;]+")
_OPENERS = ("=>", "->", " do", " where", " is")


class Piece(NamedTuple):
    """A function before its offsets are turned into those of the file."""

    kind: str
    symbol: str
    start: int
    end: int
    doc: str
    signature: str
    body: str
    is_test: bool = False


def pieces(
    text: bytes,
    units: list[Unit],
    attribute_ends: dict[int, int],
    docs: list[tuple[int, int]],
    language: Language,
) -> Iterator[Piece]:
    """All functions of a file, in its order within units and then within blocks.

    `docs` document the file; `attribute_ends` are where attributes that begin a definition end.
    """
    rests, reach = _rests(text, units)
    for unit in units:
        if unit.kind == "scope":
            continue
        yield Piece(
            unit.kind,
            unit.symbol,
            unit.start,
            reach.get(unit, unit.end),
            _doc(text, unit, language),
            signature(text, unit, attribute_ends, language),
            _body(text, unit, attribute_ends, language),
            unit.is_test,
        )
    yield from _blocks(text, units, rests, docs, language)


def signature(text: bytes, unit: Unit, attribute_ends: dict[int, int], language: Language) -> str:
    """What stands before the body, in one line, without attributes and comments before it."""
    if not unit.signature:
        unit.signature = _head(text, unit, attribute_ends, language)
    return unit.signature


def _head(text: bytes, unit: Unit, attribute_ends: dict[int, int], language: Language) -> str:
    start = _after_attributes(text, unit, attribute_ends, language)
    # A doc comment may stand between the head and the body.
    doc = min((doc_start for doc_start, _ in unit.inside if doc_start > start), default=unit.end)
    if unit.body > start:
        head = _decode(text, start, min(unit.body, doc))
    else:
        head = _decode(text, start, min(unit.end, doc, start + 4 * MAX_SIGNATURE))
        head = head.split("{", 1)[0] if unit.is_container and "{" in head else head
        head = head if len(head) < MAX_SIGNATURE and not unit.is_container else head.split("\n", 1)[0]
    line = " ".join(_without_comments(head, language).split())
    line = line.replace("( ", "(").replace(", )", ")").replace(" )", ")")
    return _without_opener(line).rstrip(";")


def _without_comments(head: str, language: Language) -> str:
    """A head without comments at the ends of its lines: a body may begin only behind some."""
    return _trailing_comment(language.line_marks, language.block_marks).sub("", head)


@functools.cache
def _trailing_comment(
    line_marks: tuple[bytes, ...], block_marks: tuple[tuple[bytes, bytes], ...]
) -> re.Pattern[str]:
    # A mark inside a string has a quote behind it, but stands seldom at the beginning of a line. PHP: #[Attribute]
    kinds = [rf"{re.escape(mark.decode())}(?:\s[^\"'`\n]*)?" for mark in line_marks]
    kinds += [rf"(?<=\n)[ \t]*{re.escape(mark.decode())}(?!\[)[^\n]*" for mark in line_marks]
    for opening, closing in block_marks:
        kinds.append(rf"{re.escape(opening.decode())}[^\"'`\n]*?{re.escape(closing.decode())}")
    return re.compile(rf"(?:^|(?<=\s))(?:{'|'.join(kinds)})[ \t]*$" if kinds else r"(?!)", re.MULTILINE)


def _without_opener(line: str) -> str:
    """A head without what opens the body after it."""
    last = ""
    while last != line:
        last, line = line, line.rstrip(" {:=")
        for opener in _OPENERS:
            line = line.removesuffix(opener)
    return line


def _after_attributes(text: bytes, unit: Unit, attribute_ends: dict[int, int], language: Language) -> int:
    start = unit.code
    while start < unit.node_end:
        end = attribute_ends.get(start) or _comment_end(text, start, language)
        if not start < end < unit.node_end:
            return start
        rest = text[end : end + 400]
        start = end + len(rest) - len(rest.lstrip())
    return start


def _comment_end(text: bytes, start: int, language: Language) -> int:
    """Where a comment that begins at `start` ends, or -1."""
    for opening, closing in language.block_marks:
        if text.startswith(opening, start):
            end = text.find(closing, start + len(opening))
            return end + len(closing) if end >= 0 else -1
    return text.find(b"\n", start) if text.startswith(language.line_marks, start) else -1


def _doc(text: bytes, unit: Unit, language: Language) -> str:
    return _clean(text, unit.docs, language)


def _clean(text: bytes, ranges: list[tuple[int, int]], language: Language) -> str:
    if not ranges:
        return ""
    parts = []
    for start, end in _joined(text, ranges):
        raw = _decode(text, start, end)
        is_string = comments.is_string(raw)
        parts.append(comments.clean_docstring(raw) if is_string else comments.clean_comment(raw, language))
    return "\n".join(part for part in parts if part)


def _joined(text: bytes, ranges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Comments on consecutive lines as one."""
    last: tuple[int, int] | None = None
    for start, end in sorted(ranges):
        if last is not None and not text[last[1] : start].strip() and text.count(b"\n", last[1], start) <= 1:
            last = (last[0], end)
            continue
        if last is not None:
            yield last
        last = (start, end)
    if last is not None:
        yield last


def _body(text: bytes, unit: Unit, attribute_ends: dict[int, int], language: Language) -> str:
    cuts = [(start, end, "") for start, end in unit.docs]
    if unit.is_container:
        listed = 0
        for child in unit.children:
            line = signature(text, child, attribute_ends, language)[:MAX_SIGNATURE]
            listed += len(line)
            cuts.append((child.start, child.end, line if listed <= MAX_LISTED else ""))
    body = _dedented(_without(text, unit.start, unit.end, cuts), text, unit.start)
    return _BLANK_LINES.sub("\n", body) if unit.is_container else body


def _without(text: bytes, start: int, end: int, cuts: list[tuple[int, int, str]]) -> str:
    parts = []
    for cut_start, cut_end, replacement in sorted(cuts):
        if cut_start < start or cut_end > end:
            continue
        parts.append(_decode(text, start, cut_start))
        parts.append(replacement)
        start = cut_end
        if not replacement:
            rest = text[cut_end:end]
            start += len(rest) - len(rest.lstrip())
    parts.append(_decode(text, start, end))
    return "".join(parts).strip("\n").rstrip()


def _dedented(body: str, text: bytes, start: int) -> str:
    line = comments.line_start(text, start)
    indent = text[line:start] if line >= 0 else b""
    return body.replace("\n" + indent.decode(), "\n") if indent and not indent.strip() else body


def _decode(text: bytes, start: int, end: int) -> str:
    return text[start:end].decode("utf-8", "replace")


def _gaps(text: bytes, units: list[Unit]) -> Iterator[tuple[int, int, Unit | None]]:
    """Non-blank ranges outside all units, with the unit before each."""
    last, before = 0, None
    for unit in units:
        if unit.kind == "scope" or unit.end <= last:
            continue
        if text[last : unit.start].strip():
            yield last, unit.start, before
        last, before = unit.end, unit
    if text[last:].strip():
        yield last, len(text), before


def _rests(text: bytes, units: list[Unit]) -> tuple[list[tuple[int, int]], dict[Unit, int]]:
    """Ranges of code outside all units, and how far units reach.

    Separators and brackets that follow a unit are no code of their own: the unit reaches over them.
    """
    rests, reach = [], {}
    for start, end, before in _gaps(text, units):
        rest = start if before is None else _after_closing(text, start, end)
        if before is not None and _NOISE.fullmatch(text, rest, end):
            rest = end
        if before is not None and rest > start:
            reach[before] = start + len(text[start:rest].rstrip())
        if text[rest:end].strip():
            rests.append((rest, end))
    return rests, reach


def _after_closing(text: bytes, start: int, end: int) -> int:
    separator = _SEPARATOR.match(text, start, end)
    start = separator.end() if separator else start
    while start < end:
        newline = text.find(b"\n", start, end)
        stop = newline + 1 if newline >= 0 else end
        if not _CLOSING_LINE.fullmatch(text, start, stop):
            break
        start = stop
    return start


def _blocks(
    text: bytes,
    units: list[Unit],
    rests: list[tuple[int, int]],
    docs: list[tuple[int, int]],
    language: Language,
) -> Iterator[Piece]:
    starts = [unit.start for unit in units]
    licence = _licence(text, language)
    for start, end in rests:
        for block_start, block_end in split_blocks(text, start, end):
            own = [doc for doc in docs if block_start <= doc[0] and doc[1] <= block_end]
            cuts = [(*doc, "") for doc in own]
            if licence and block_start <= licence[0] and licence[1] < block_end:
                cuts.append((*licence, ""))
            scope = enclosing(units, starts, block_start)
            body = _dedented(_without(text, block_start, block_end, cuts), text, block_start)
            symbol, is_test = (scope.symbol, scope.is_test) if scope else ("", False)
            doc = _clean(text, own, language)
            yield Piece("module", symbol, block_start, block_end, doc, "", body, is_test)


def _licence(text: bytes, language: Language) -> tuple[int, int] | None:
    """The comment at the head of the file if it states a licence."""
    found = _first_comment(text, language)
    if found is None or not is_first(text, found[0]) or not comments.is_licence(_decode(text, *found)):
        return None
    return found


def _first_comment(text: bytes, language: Language) -> tuple[int, int] | None:
    start = 0
    while text.startswith((b"#!", b"<?php", b"<?"), start):
        newline = text.find(b"\n", start)
        start = newline + 1 if newline >= 0 else len(text)
    start += len(text[start : start + 400]) - len(text[start : start + 400].lstrip())
    for opening, closing in language.block_marks:
        if text.startswith(opening, start):
            end = text.find(closing, start)
            return (start, end + len(closing)) if end > 0 else None
    end = start
    while text.startswith(language.line_marks, end):
        newline = text.find(b"\n", end)
        end = newline + 1 if newline >= 0 else len(text)
    return (start, end) if end > start else None
