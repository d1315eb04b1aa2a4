"""Files as UTF-8, whatever they were written in, with the way back to their own byte offsets."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
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
    """Valid UTF-8 without byte order mark, with ``\\n`` at line ends."""
    whole: bytes
    """The same with the line ends of the file."""
    encoding: str
    """Of the file."""
    shift: int
    """Bytes of the byte order mark."""
    returns: tuple[int, ...]
    """Offsets into `text` of line ends that are two characters in the file."""

    def original_offsets(self, offsets: Iterable[int]) -> dict[int, int]:
        """For each offset into `text`, the offset into the file."""
        ordered = sorted(set(offsets))
        whole = {offset: offset + bisect_left(self.returns, offset) for offset in ordered}
        if self.encoding == "utf-8":
            return {offset: position + self.shift for offset, position in whole.items()}
        last, position = 0, self.shift
        for offset in ordered:
            piece = self.whole[last : whole[offset]].decode("utf-8", "replace")
            position += len(piece.encode(self.encoding, "replace"))
            last, whole[offset] = whole[offset], position
        return whole


def read_source(content: bytes) -> Source:
    """Decode a file: by its byte order mark, as UTF-8, as UTF-16 by its zero bytes, else as Latin-1."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding, len(mark))
    return _decoded(content, _guess_utf16(content) or "utf-8", 0)


def _decoded(content: bytes, encoding: str, shift: int) -> Source:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        # Every byte is a character of Latin-1, so nothing is lost and offsets stay exact.
        encoding, text = "latin-1", content.decode("latin-1")
    whole = content if encoding == "utf-8" else text.encode("utf-8", "replace")
    pairs = (found.start() for found in re.finditer(rb"\r\n", whole)) if b"\r\n" in whole else ()
    returns = tuple(start - index for index, start in enumerate(pairs))
    if b"\n" not in whole:
        # Lines end as on old Macs; elsewhere a lone carriage return is a character like others.
        return Source(whole.replace(b"\r", b"\n"), whole, encoding, shift, returns)
    return Source(whole.replace(b"\r\n", b"\n"), whole, encoding, shift, returns)


def _guess_utf16(content: bytes) -> str:
    head = content[:4096]
    if len(content) % 2 or head.count(0) * 3 < len(head) or not head:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 8 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 8 * odd else ""
