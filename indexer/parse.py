"""Bytes to functions. Pure, and never raises on input: what cannot be read becomes blocks and errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from indexer.languages import LANGUAGES, language_of
from indexer.languages.emit import Piece, pieces
from indexer.languages.source import Source, read_source
from indexer.languages.text import block_pieces, text_pieces
from indexer.types import Function, ParsedFile, ParseError

if TYPE_CHECKING:
    from indexer.languages.units import Captures, Unit

PARSER_VERSION = 6
"""Of what parsing makes of a file; an index reads every file again when it is another one."""


def parse(path: str, source: bytes) -> ParsedFile:
    r"""The functions of a file, declarations of types, and blocks of what is outside both.

    Every non-blank byte lies in the range of some function. A range takes in decorators and the doc
    comment above; `Function.body` is the source text without the doc comment (a docstring inside is
    removed as well), without the indentation of its first line, and with ``\n`` at line ends. The body of
    a type has the signatures of its members in place of their text.
    """
    content = read_source(source)
    name = language_of(path, content.text[:16384]) or "text"
    if not LANGUAGES[name].grammar:
        return _finished(path, name, content, text_pieces(path, content.text), [])
    try:
        found, errors = _parse_code(name, content.text)
    except Exception as error:
        # A file must never stop a run; the error says that the fault is ours and the text stays searchable.
        errors = [ParseError(0, f"the parser failed: {type(error).__name__}: {error}")]
        found = list(block_pieces(content.text, 0, len(content.text), "module"))
    return _finished(path, LANGUAGES[name].alias or name, content, found, errors)


def parse_as_text(path: str, source: bytes, reason: str) -> ParsedFile:
    """Blocks of lines, as `parse` gives them where a grammar fails; the reason becomes the error."""
    content = read_source(source)
    name = language_of(path, content.text[:16384]) or "text"
    found = block_pieces(content.text, 0, len(content.text), "module")
    return _finished(path, LANGUAGES[name].alias or name, content, found, [ParseError(0, reason)])


def _parse_code(name: str, text: bytes) -> tuple[list[Piece], list[ParseError]]:
    from indexer.languages import trees, units

    language = LANGUAGES[name]
    matches, errors = trees.read_matches(text, name)
    captures = units.collect(matches, text, language)
    arranged, too_deep = units.arrange(captures, text, language)
    file_docs = _attach_docs(captures, arranged, text, name)
    found = list(pieces(text, arranged, captures.attribute_ends, file_docs, language))
    if too_deep:
        errors.append(
            ParseError(0, f"{too_deep} definitions are nested too deeply to be found by themselves")
        )
    return found, errors


def _attach_docs(captures: Captures, arranged: list[Unit], text: bytes, name: str) -> list[tuple[int, int]]:
    """Give each doc comment to the unit it stands in; those outside all units document the file."""
    from indexer.languages import comments, units

    starts = [unit.start for unit in arranged]
    file_docs = []
    for start, end in captures.docs:
        unit = units.enclosing(arranged, starts, start)
        while unit is not None and unit.kind == "scope":
            unit = unit.parent
        if unit is None:
            file_docs.append((start, end))
        else:
            unit.inside.append((start, end))
    for start in captures.headers:
        above = comments.comment_above(text, start, LANGUAGES[name])
        raw = text[above:start].decode("utf-8", "replace")
        if above < start and not (units.is_first(text, above) and comments.is_licence(raw)):
            file_docs.append((above, start))
    return file_docs


def _finished(
    path: str, language: str, content: Source, found: Iterable[Piece], errors: list[ParseError]
) -> ParsedFile:
    """Turn offsets into those of the file, add lines, and order by position."""
    ordered = sorted(found, key=lambda piece: (piece.start, -piece.end))
    offsets = content.original_offsets(offset for piece in ordered for offset in (piece.start, piece.end))
    lines = _lines_of(content.text, (offset for piece in ordered for offset in (piece.start, piece.end - 1)))
    functions = tuple(
        Function(
            path,
            language,
            piece.kind,
            piece.symbol,
            offsets[piece.start],
            offsets[piece.end],
            lines[piece.start],
            lines[piece.end - 1] + 1,
            piece.doc,
            piece.signature,
            piece.body,
            piece.is_test,
        )
        for piece in ordered
    )
    return ParsedFile(language, functions, tuple(errors))


def _lines_of(text: bytes, offsets: Iterable[int]) -> dict[int, int]:
    """The 0-based line that each offset is in; a line end belongs to the line it ends."""
    lines: dict[int, int] = {}
    last, line = 0, 0
    for offset in sorted(set(offsets)):
        line += text.count(b"\n", last, offset)
        lines[offset] = line
        last = offset
    return lines
