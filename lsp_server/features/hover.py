"""Hover over the name of a function: the three functions that are most like it, as links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lsprotocol import types as lsp

from lsp_server.answers import Locator
from lsp_server.features.search import Hit
from lsp_server.features.similar import Target, function_at, similar_to, target_of
from lsp_server.protocol import guarded
from lsp_server.server import CodewhereServer

_N_SHOWN = 3
# A repository chooses its names; none may become markup or reach a terminal as a control code.
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def register(server: CodewhereServer) -> None:
    """Adds the handler."""
    server.feature(lsp.TEXT_DOCUMENT_HOVER)(_hover)


@guarded
async def _hover(ls: CodewhereServer, params: lsp.HoverParams) -> lsp.Hover | None:
    if not (ls.settings.hover and ls.model.ready):
        return None
    found = await ls.query(lambda: _named(ls, params.text_document.uri, params.position))
    if found is None:
        return None
    target, where = found
    near = await similar_to(ls, target, _N_SHOWN, min_score=ls.settings.hover_threshold, as_json=False)
    if not near.hits:
        return None
    kind = _preferred_kind(ls)
    write = _markdown if kind == lsp.MarkupKind.Markdown else _plain_text
    text = await ls.query(lambda: write(_places(ls, near.hits)))
    return lsp.Hover(lsp.MarkupContent(kind, text), where)


def _preferred_kind(ls: CodewhereServer) -> lsp.MarkupKind:
    """The first kind of text that the client names; Markdown, as ever, where it names none."""
    document = ls.client_capabilities.text_document
    hover = document.hover if document else None
    return (
        next(iter(hover.content_format or ()), lsp.MarkupKind.Markdown) if hover else lsp.MarkupKind.Markdown
    )


def _named(ls: CodewhereServer, uri: str, position: lsp.Position) -> tuple[Target, lsp.Range] | None:
    """The function whose name is at a position."""
    home = ls.workspaces.of_uri(uri)
    if home is None:
        return None
    root, path = home
    snapshots = ls.documents.snapshots()
    function = function_at(root.functions_of(path, snapshots), position.line)
    if function is None or function.kind in ("module", "text"):
        return None
    where = Locator(ls.encoding, snapshots).name(root, function)
    if where.start == where.end or not where.start <= position <= where.end:
        return None
    return target_of(root, function), where


@dataclass(frozen=True)
class _Place:
    """A similar function as a person is told of it; its texts have no control codes."""

    name: str
    path: str
    uri: str
    line: int
    score: float


def _places(ls: CodewhereServer, hits: Sequence[Hit]) -> Iterator[_Place]:
    locator = Locator(ls.encoding, ls.documents.snapshots())
    for hit in hits:
        function = hit.result.function
        name = _harmless(function.symbol or function.path.rpartition("/")[2])
        line = locator.name(hit.root, function).start.line + 1
        uri = hit.root.file_uri(function.path)
        yield _Place(name, _harmless(function.path), uri, line, hit.result.score)


def _markdown(places: Iterable[_Place]) -> str:
    lines = ["**Similar functions**", ""]
    for place in places:
        uri = place.uri.replace("(", "%28").replace(")", "%29")
        name, path = _escaped(place.name), _escaped(place.path)
        lines.append(f"- [{name}]({uri}#L{place.line}) {path}:{place.line}, {place.score:.2f}")
    return "\n".join(lines)


def _plain_text(places: Iterable[_Place]) -> str:
    found = (f"{place.name}  {place.path}:{place.line}, {place.score:.2f}" for place in places)
    return "\n".join(["Similar functions", "", *found])


def _harmless(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
