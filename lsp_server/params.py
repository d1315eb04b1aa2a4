"""Parameters of the server's own requests; field names and limits are those of docs/protocol.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lsprotocol import types as lsp

from indexer.types import KINDS, SearchFilters
from lsp_server import checks

MAX_LIMIT = 200
MAX_QUERY_CHARS = 100_000  # a sentence or a pasted function; more is a mistake of the client
Token = str | int


@dataclass(frozen=True)
class SearchParams:
    """Of `codewhere/search`."""

    query: str
    limit: int | None = None
    filters: SearchFilters | None = None
    roots: tuple[str, ...] | None = None
    partial_result_token: Token | None = None
    work_done_token: Token | None = None


@dataclass(frozen=True)
class SimilarParams:
    """Of `codewhere/similar`; exactly one of position, range and text is there."""

    uri: str = ""
    position: lsp.Position | None = None
    range: lsp.Range | None = None
    text: str | None = None
    language: str = ""
    limit: int | None = None
    filters: SearchFilters | None = None
    roots: tuple[str, ...] | None = None
    partial_result_token: Token | None = None
    work_done_token: Token | None = None


def read_search(raw: object) -> SearchParams:
    """Raises ValueError that names the wrong field."""
    values = checks.read_object(raw, {"query": _query, **_COMMON}, required=("query",))
    return SearchParams(**_snake_case(values))


def read_similar(raw: object) -> SimilarParams:
    """Raises ValueError that names the wrong field."""
    fields = {"textDocument": _document, "position": position, "range": _range, "text": _query}
    values = checks.read_object(raw, {**fields, "language": checks.text, **_COMMON})
    if sum(name in values for name in ("position", "range", "text")) != 1:
        raise ValueError("exactly one of position, range and text is expected")
    if "text" not in values and "textDocument" not in values:
        raise ValueError("the field 'textDocument' is missing")
    values["uri"] = values.pop("textDocument", "")
    return SimilarParams(**_snake_case(values))


def read_filters(raw: object) -> SearchFilters:
    """Raises ValueError that names the wrong field."""
    return SearchFilters(**_snake_case(checks.read_object(raw, _FILTERS)))


def named(arguments: list[Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Positional arguments of a command by name; one object in their place is taken as it is."""
    if len(arguments) == 1 and isinstance(arguments[0], dict):
        return dict(arguments[0])
    if len(arguments) > len(names):
        expected = ", ".join(names) or "none"
        raise ValueError(f"{len(arguments)} arguments were given; expected: {expected}")
    return dict(zip(names, arguments, strict=False))


def position(raw: object) -> lsp.Position:
    """An LSP position; raises ValueError."""
    values = checks.read_object(
        raw, {"line": checks.whole(0), "character": checks.whole(0)}, required=("line", "character")
    )
    return lsp.Position(values["line"], values["character"])


def _range(raw: object) -> lsp.Range:
    values = checks.read_object(raw, {"start": position, "end": position}, required=("start", "end"))
    where = lsp.Range(values["start"], values["end"])
    if (where.end.line, where.end.character) < (where.start.line, where.start.character):
        raise ValueError("a range that ends after it starts is expected")
    return where


def _document(raw: object) -> str:
    uri: str = checks.read_object(raw, {"uri": checks.name}, required=("uri",))["uri"]
    return uri


def _query(value: object) -> str:
    if len(checks.text(value)) > MAX_QUERY_CHARS:
        raise ValueError(f"a text of at most {MAX_QUERY_CHARS:,} characters is expected")
    return checks.text(value)


def _snake_case(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in key): value for key, value in values.items()
    }


_FILTERS = {
    "languages": checks.texts,
    "kinds": checks.one_of(*KINDS),
    "paths": checks.globs,
    "exclude": checks.globs,
    "symbols": checks.texts,
    "noTests": checks.switch,
    "changedOnly": checks.switch,
}
_COMMON = {
    "limit": checks.whole(1, MAX_LIMIT),
    "filters": read_filters,
    "roots": checks.texts,
    "partialResultToken": checks.token,
    "workDoneToken": checks.token,
}
