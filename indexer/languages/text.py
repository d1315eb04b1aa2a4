"""Prose and files without a grammar: sections under their headings, cut into blocks of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.languages.blocks import split_blocks
from indexer.languages.emit import Piece

Heading = tuple[int, int, str]
"""Offset of its first line, level (1 is the highest), title."""

_LONGEST_HEADING = 500
"""Bytes of a line."""
_JOINER = " > "
_FENCE = re.compile(rb" {0,3}(`{3,}|~{3,})")
_ATX = re.compile(rb" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*\r?\n?")
_SETEXT = re.compile(rb" {0,3}(={3,}|-{3,})[ \t]*\r?\n?")
_NO_TITLE = re.compile(rb"\s*(?:$|[-*+>|`]|\d+[.)]\s)|\s{4}")
_ADORNMENT = re.compile(rb"([=\-~^\"'`#*+:._<>!$%&])\1{2,}[ \t]*\r?\n?")
_ASCIIDOC = re.compile(rb"(={1,6})[ \t]+(\S.*?)[ \t=]*\r?\n?")
_ORG = re.compile(rb"(\*{1,8})[ \t]+(\S.*?)[ \t]*\r?\n?")
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_MARKUP = re.compile(r"<[^<>]*>|\{#[^{}]*\}|[`*]|(?<!\w)_+|_+(?!\w)")


def text_pieces(path: str, text: bytes) -> Iterator[Piece]:
    """The whole file as blocks; the symbol of a block is the path of the headings it stands under."""
    ending = path.rpartition(".")[2].lower()
    if ending in _MARKDOWN:
        headings = _markdown_headings(text)
    elif ending in ("rst", "rest"):
        headings = _underlined_headings(text)
    elif ending in _BY_PATTERN:
        headings = _pattern_headings(text, _BY_PATTERN[ending])
    else:
        headings = []
    for symbol, start, end in _sections(text, headings):
        yield from block_pieces(text, start, end, "text", symbol)


def block_pieces(text: bytes, start: int, end: int, kind: str, symbol: str = "") -> Iterator[Piece]:
    """A stretch of text as blocks of a bounded size."""
    for block_start, block_end in split_blocks(text, start, end):
        body = text[block_start:block_end].decode("utf-8", "replace").replace("\r\n", "\n")
        yield Piece(kind, symbol, block_start, block_end, "", "", body)


_MARKDOWN = frozenset({"md", "markdown", "mdx", "mkd", "mdown", "qmd", "rmd"})
_BY_PATTERN = {"adoc": _ASCIIDOC, "asciidoc": _ASCIIDOC, "org": _ORG}


def _sections(text: bytes, headings: list[Heading]) -> Iterator[tuple[str, int, int]]:
    """Heading path and range of each section; a heading with nothing below it goes with the next one."""
    path: list[tuple[int, str]] = []
    start, symbol = 0, ""
    for index, (offset, level, title) in enumerate(headings):
        last = headings[index - 1][0] if index else 0
        if b"\n" in text[last:offset].strip() or (not index and text[:offset].strip()):
            yield symbol, start, offset
            start = offset
        while path and path[-1][0] >= level:
            path.pop()
        path.append((level, title))
        symbol = _JOINER.join(part for _, part in path if part)
    yield symbol, start, len(text)


def _markdown_headings(text: bytes) -> list[Heading]:
    headings: list[Heading] = []
    fence = b""
    previous, previous_start, before = b"", 0, b""
    for start, line in _lines(text, _front_matter_end(text)):
        mark = _FENCE.match(line)
        if mark:
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence) and not line.strip().strip(fence[:1]):
                fence = b""
        elif not fence:
            atx = _ATX.fullmatch(line)
            underline = _SETEXT.fullmatch(line)
            if atx:
                headings.append((start, len(atx[1]), _title(atx[2] or b"")))
            elif underline and not before.strip() and not _NO_TITLE.match(previous):
                headings.append((previous_start, 1 if underline[1][:1] == b"=" else 2, _title(previous)))
        before, previous, previous_start = previous, line, start
    return headings


def _underlined_headings(text: bytes) -> list[Heading]:
    """reStructuredText: the level of an underline is given by the order of their first use."""
    headings: list[Heading] = []
    styles: list[bytes] = []
    lines = list(_lines(text, 0))
    for (before_start, before), (title_start, title), (_, line) in zip(
        [(0, b""), *lines], lines, lines[1:], strict=False
    ):
        under = _ADORNMENT.fullmatch(line)
        if not under or not title.strip() or title[:1].isspace() or _ADORNMENT.fullmatch(title):
            continue
        over = _ADORNMENT.fullmatch(before)
        overlined = over is not None and over[1] == under[1]
        if (before.strip() and not overlined) or len(line.rstrip()) + 1 < len(title.strip()):
            continue
        style = under[1] * (2 if overlined else 1)
        if style not in styles:
            styles.append(style)
        headings.append((before_start if overlined else title_start, styles.index(style) + 1, _title(title)))
    return headings


def _pattern_headings(text: bytes, pattern: re.Pattern[bytes]) -> list[Heading]:
    found = ((start, pattern.fullmatch(line)) for start, line in _lines(text, 0))
    return [(start, len(match[1]), _title(match[2])) for start, match in found if match]


def _lines(text: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Lines with their offsets. A long one is no heading and is left out, so that the patterns stay fast."""
    for line in text[start:].splitlines(keepends=True):
        yield start, line if len(line) <= _LONGEST_HEADING else b"x"
        start += len(line)


def _front_matter_end(text: bytes) -> int:
    mark = text[:3]
    if mark not in (b"---", b"+++") or text[3:5].strip(b"\r\n"):
        return 0
    end = text.find(b"\n" + mark, 3)
    return end + 4 if end >= 0 else 0


def _title(raw: bytes) -> str:
    title = raw.decode("utf-8", "replace").strip()
    return _MARKUP.sub("", _LINK.sub(r"\1", title)).strip()[:200]
