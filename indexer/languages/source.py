"""Files as UTF-8, whatever they were written in, with the way back to their own byte offsets."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Source:
    """One file as the grammars read it."""

    text: bytes
    """Valid UTF-8 without byte order mark."""
    encoding: str
    """Of the file; ``utf-8`` where offsets differ from those of `text` by `shift` alone."""
    shift: int
    """Bytes of the byte order mark."""

    def original_offsets(self, offsets: Iterable[int]) -> dict[int, int]:
        """For each offset into `text`, the offset into the file."""
        if self.encoding == "utf-8":
            return {offset: offset + self.shift for offset in offsets}
        found: dict[int, int] = {}
        last, position = 0, self.shift
        for offset in sorted(set(offsets)):
            piece = self.text[last:offset].decode("utf-8", "replace")
            position += len(piece.encode(self.encoding, "replace"))
            last = offset
            found[offset] = position
        return found


def read_source(content: bytes) -> Source:
    """Decode a file: by its byte order mark, as UTF-8, as UTF-16 by its zero bytes, else as Latin-1."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding, len(mark))
    encoding = _guess_utf16(content)
    if encoding:
        return _decoded(content, encoding, 0)
    return _decoded(content, "utf-8", 0)


def _decoded(content: bytes, encoding: str, shift: int) -> Source:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        # Every byte is a character of Latin-1, so nothing is lost and offsets stay exact.
        return Source(content.decode("latin-1").encode(), "latin-1", shift)
    return Source(content if encoding == "utf-8" else text.encode("utf-8", "replace"), encoding, shift)


def _guess_utf16(content: bytes) -> str:
    head = content[:4096]
    if len(content) % 2 or head.count(0) * 3 < len(head) or not head:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 8 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 8 * odd else ""
