"""Hover over the name of a function: the three functions that are most like it, as links."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    text = await ls.query(lambda: _markdown(ls, near.hits))
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text), where)


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


def _markdown(ls: CodewhereServer, hits: Sequence[Hit]) -> str:
    locator = Locator(ls.encoding, ls.documents.snapshots())
    lines = ["**Similar functions**", ""]
    for hit in hits:
        function = hit.result.function
        line = locator.name(hit.root, function).start.line + 1
        name = _plain(function.symbol or function.path.rpartition("/")[2])
        uri = hit.root.file_uri(function.path).replace("(", "%28").replace(")", "%29")
        lines.append(f"- [{name}]({uri}#L{line}) {_plain(function.path)}:{line}, {hit.result.score:.2f}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))
