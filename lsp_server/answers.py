"""From the results of the engine to what goes over the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from indexer.types import Function, SearchResult, Why, last_name
from lsp_server.overlays import Snapshot
from lsp_server.positions import Encoding, SourceText
from lsp_server.workspaces import Root

_MAX_FILE_BYTES = 8_000_000  # of a larger file, lines are given without columns
_SIGNATURE_CHARS = 500  # of a longer one the beginning is looked for
_TOKEN = re.compile(rb"\w+|[^\w\s]")
# Between the tokens of a signature, and before what closes a list. No two of them meet, or long blanks would cost time
# that grows with their square.
_GAP, _GAP_AT_END = (
    rb"(?:[\s%s]|(?://|#|--)[^\n]*\n|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)*" % also for also in (b"", b",")
)
_SYMBOL_KINDS = {
    "function": lsp.SymbolKind.Function,
    "method": lsp.SymbolKind.Method,
    "constructor": lsp.SymbolKind.Constructor,
    "lambda": lsp.SymbolKind.Function,
    "class": lsp.SymbolKind.Class,
    "struct": lsp.SymbolKind.Struct,
    "interface": lsp.SymbolKind.Interface,
    "enum": lsp.SymbolKind.Enum,
    "trait": lsp.SymbolKind.Interface,
    "module": lsp.SymbolKind.Module,
    "text": lsp.SymbolKind.String,
}


class Locator:
    """Finds the ranges of functions, each file read once; made anew for every request."""

    def __init__(self, encoding: Encoding, snapshots: Iterable[Snapshot]) -> None:
        self._encoding = encoding
        self._buffers = {snapshot.path: snapshot for snapshot in snapshots}
        self._sources: dict[Path, SourceText | None] = {}

    def whole(self, root: Root, function: Function) -> lsp.Range:
        """From the first to the last character of a function."""
        source = self._source(root, function.path)
        if source is None:
            return _lines_only(function.start_line, function.end_line)
        if _is_unchanged(source, function):
            return source.range(function.start_byte, function.end_byte, self._encoding)
        found = _find_signature(source, function)
        start = function.start_line if found is None else source.line_of(found[0])
        n_lines = function.end_line - function.start_line
        return source.line_range(start, start + n_lines, self._encoding)

    def name(self, root: Root, function: Function) -> lsp.Range:
        """The name of a function where it is defined; where there is none, the empty start of its line."""
        source = self._source(root, function.path)
        found = None if source is None else _find_signature(source, function)
        if source is None or found is None:
            start = self.whole(root, function).start
            return lsp.Range(start, start)
        end = found[0] + function.end_byte - function.start_byte
        name = _last_word(last_name(function.symbol))
        return source.range(*_find_name(source, (*found, end), name), self._encoding)

    def answering(self, root: Root, function: Function, why: Why) -> list[lsp.Range]:
        """The lines that answer; where the file has changed, those that moved with the function and still do."""
        source = self._source(root, function.path)
        if source is None:
            return [_lines_only(start, end) for start, end in why.lines]
        if _is_unchanged(source, function):
            return [source.line_range(start, end, self._encoding) for start, end in why.lines]
        whole = self.whole(root, function)
        moved = whole.start.line - function.start_line
        lines = {line + moved for start, end in why.lines for line in range(start, end)}
        lines &= set(range(whole.start.line, whole.end.line + 1))
        words = [term.lower() for term in why.terms]
        return [
            source.line_range(line, line + 1, self._encoding)
            for line in sorted(lines)
            if any(word in source.line(line).lower() for word in words)
        ]

    def _source(self, root: Root, path: str) -> SourceText | None:
        file = root.path / path
        if file not in self._sources:
            self._sources[file] = self._read(root, file)
        return self._sources[file]

    def _read(self, root: Root, file: Path) -> SourceText | None:
        if file in self._buffers:
            return SourceText.of(self._buffers[file].data)
        try:
            # The file may have become a link to somewhere else since it was indexed.
            inside = file.resolve().is_relative_to(root.path)
            if not inside or not file.is_file() or file.stat().st_size > _MAX_FILE_BYTES:
                return None
            return SourceText.of(file.read_bytes())
        except OSError:
            return None


def result_to_json(root: Root, result: SearchResult, locator: Locator) -> dict[str, Any]:
    """One result as docs/protocol.md has it."""
    function = result.function
    return {
        "uri": root.file_uri(function.path),
        "range": range_to_json(locator.whole(root, function)),
        "selectionRange": range_to_json(locator.name(root, function)),
        "path": function.path,
        "root": root.uri,
        "symbol": function.symbol,
        "kind": function.kind,
        "language": function.language,
        "score": round(result.score, 4),
        "snippet": function.body,
        "why": _why_to_json(result.why),
        "highlights": [range_to_json(r) for r in locator.answering(root, function, result.why)],
    }


def range_to_json(value: lsp.Range) -> dict[str, Any]:
    """Own replies are plain JSON, which pygls sends as it is."""
    return {
        "start": {"line": value.start.line, "character": value.start.character},
        "end": {"line": value.end.line, "character": value.end.character},
    }


def symbol_kind(kind: str) -> lsp.SymbolKind:
    """The nearest of LSP's kinds."""
    return _SYMBOL_KINDS.get(kind, lsp.SymbolKind.Function)


def _why_to_json(why: Why) -> dict[str, Any]:
    return {
        "denseRank": why.dense_rank,
        "lexicalRank": why.lexical_rank,
        "terms": list(why.terms),
        "signals": {name: round(value, 4) for name, value in why.signals.items()},
    }


def _is_unchanged(source: SourceText, function: Function) -> bool:
    """Whether a function is where it was when it was indexed, as far as can be told."""
    return (
        source.line_of(function.start_byte) == function.start_line
        and source.line_of(function.end_byte - 1) == function.end_line - 1
        and (not function.signature or _search(source, function, *_extent(function)) is not None)
    )


def _find_signature(source: SourceText, function: Function) -> tuple[int, int] | None:
    """Byte range of the signature: where it was indexed, or anywhere else in the file."""
    if not function.signature:
        return None
    return _search(source, function, *_extent(function)) or _search(source, function, 0, len(source.data))


def _extent(function: Function) -> tuple[int, int]:
    return function.start_byte, function.end_byte


def _search(source: SourceText, function: Function, start: int, end: int) -> tuple[int, int] | None:
    signature = function.signature[:_SIGNATURE_CHARS].encode("utf-8", "surrogatepass")
    at = source.data.find(signature, start, end)
    if at >= 0 and not source.data[at + len(signature) : at + len(signature) + 1].isalnum():
        return at, at + len(signature)
    # The parser keeps it on one line without comments; the file has it as the author wrote it.
    first, *rest = _TOKEN.findall(signature)
    gaps = ((_GAP_AT_END if token in b")]}" else _GAP) + re.escape(token) for token in rest)
    last = rb"(?!\w)" if len(function.signature) <= _SIGNATURE_CHARS else b""
    found = re.compile(re.escape(first) + b"".join(gaps) + last).search(source.data, start, end)
    return found.span() if found else None


def _find_name(source: SourceText, where: tuple[int, int, int], name: str) -> tuple[int, int]:
    """Byte range of a name in a signature or, as in C's typedefs, behind a body; else the start of the signature.

    :param where: Start and end of the signature, end of the body.
    """
    start, head_end, end = where
    word = rb"(?<!\w)(" + re.escape(name.encode("utf-8", "surrogatepass")) + rb")"
    for pattern, first, last in (
        (word + rb"(?=\s*[(<\[{=:])", start, head_end),  # what is defined comes before its parameters
        (word + rb"(?!\w)", start, head_end),
        (rb"\}[\w\s*,]*" + word + rb"(?=[\w\s*,]*;)", head_end, end),
    ):
        found = re.compile(pattern).search(source.data, first, last) if name else None
        if found:
            return found.span(1)
    return start, start


def _last_word(text: str) -> str:
    return text.split()[-1] if text.strip() else ""


def _lines_only(start: int, end: int) -> lsp.Range:
    return lsp.Range(lsp.Position(start, 0), lsp.Position(max(start, end), 0))
