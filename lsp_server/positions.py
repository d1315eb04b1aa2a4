"""Lines and columns as LSP counts them: three line endings, three units for a column."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from lsprotocol import types as lsp

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)")
_LONE_CARRIAGE_RETURN = re.compile(rb"\r(?!\n)")
_BOM = b"\xef\xbb\xbf"

Encoding = lsp.PositionEncodingKind | str


def split_lines(text: str) -> list[str]:
    """Lines with their endings; the last one has none and may be empty. ``"".join`` gives the text back.

    `str.splitlines` would also cut at form feeds and Unicode separators, where editors do not.
    """
    lines = _LINE.findall(text)
    lines.append(text[sum(map(len, lines)) :])
    return lines


def count_units(text: str, encoding: Encoding) -> int:
    """Length of a piece of a line in the units of the encoding."""
    if encoding == lsp.PositionEncodingKind.Utf32 or text.isascii():
        return len(text)
    if encoding == lsp.PositionEncodingKind.Utf8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(char > "\uffff" for char in text)


def index_of_units(line: str, units: int, encoding: Encoding) -> int:
    """Index in code points of a column; a column past the end means the end, as LSP wants it.

    A column inside a character (the middle of a surrogate pair) means the start of that character.
    """
    content = line.rstrip("\r\n")
    if encoding == lsp.PositionEncodingKind.Utf32 or content.isascii():
        return max(0, min(units, len(content)))
    seen = 0
    for index, char in enumerate(content):
        seen += count_units(char, encoding)
        if seen > units:
            return index
    return len(content)


@dataclass(frozen=True)
class SourceText:
    """The bytes of a file and where its lines start, to turn byte offsets into positions."""

    data: bytes
    line_starts: tuple[int, ...]

    @classmethod
    def of(cls, data: bytes) -> SourceText:
        """Finds the lines; the cost is one pass over the bytes."""
        ends = [match.end() for match in re.finditer(rb"\n", data)]
        if _LONE_CARRIAGE_RETURN.search(data):
            ends = [match.end() for match in re.finditer(rb"\r\n|\n|\r", data)]
        return cls(data, (0, *ends))

    def line_of(self, offset: int) -> int:
        """Line of a byte offset."""
        return bisect_right(self.line_starts, offset) - 1

    def line(self, number: int) -> str:
        """The text of a line, without its end; empty where there is no such line."""
        if number >= len(self.line_starts):
            return ""
        start = self.line_starts[number]
        stop = self.line_starts[number + 1] if number + 1 < len(self.line_starts) else len(self.data)
        return self.data[start:stop].decode("utf-8", "replace").rstrip("\r\n")

    def position(self, offset: int, encoding: Encoding) -> lsp.Position:
        """Position of a byte offset."""
        line = self.line_of(offset)
        before = self.data[self.line_starts[line] : offset]
        if line == 0:
            # Editors hide the byte order mark, so the first column comes after it.
            before = before.removeprefix(_BOM)
        return lsp.Position(line, count_units(before.decode("utf-8", "replace"), encoding))

    def range(self, start: int, end: int, encoding: Encoding) -> lsp.Range:
        """Range of half-open byte offsets."""
        return lsp.Range(self.position(start, encoding), self.position(end, encoding))

    def line_range(self, start: int, end: int, encoding: Encoding) -> lsp.Range:
        """Range of half-open line numbers, from the first character to the end of the last line's text."""
        last = max(start, min(end, len(self.line_starts)) - 1)
        if start >= len(self.line_starts):
            return lsp.Range(lsp.Position(start, 0), lsp.Position(start, 0))
        stop = self.line_starts[last + 1] if last + 1 < len(self.line_starts) else len(self.data)
        text = self.data[self.line_starts[last] : stop].rstrip(b"\r\n")
        if last == 0:
            text = text.removeprefix(_BOM)
        width = count_units(text.decode("utf-8", "replace"), encoding)
        return lsp.Range(lsp.Position(start, 0), lsp.Position(last, width))
