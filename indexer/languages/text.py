"""Files without a grammar, or that the grammar cannot take: blocks of lines."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.languages.blocks import split_blocks
from indexer.languages.emit import Piece


def text_pieces(text: bytes, kind: str = "text") -> Iterator[Piece]:
    """The whole file as blocks that have no symbol."""
    for start, end in split_blocks(text, 0, len(text)):
        body = text[start:end].decode("utf-8", "replace").replace("\r\n", "\n")
        yield Piece(kind, "", start, end, "", "", body)
