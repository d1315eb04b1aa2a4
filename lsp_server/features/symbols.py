"""`workspace/symbol`: the standard request that every editor has, answered for a whole sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from indexer.types import Answer, Function
from lsp_server.answers import Locator, symbol_kind
from lsp_server.features.search import NO_FOLDER, Hit, ask, default_filters, not_read
from lsp_server.protocol import guarded
from lsp_server.server import CodewhereServer
from lsp_server.workspaces import Root

if TYPE_CHECKING:
    from indexer.overlay import Overlay


def register(server: CodewhereServer) -> None:
    """Adds the handlers."""
    server.feature(lsp.WORKSPACE_SYMBOL)(_symbols)
    server.feature(lsp.WORKSPACE_SYMBOL_RESOLVE)(_resolve)


@guarded
async def _symbols(ls: CodewhereServer, params: lsp.WorkspaceSymbolParams) -> list[lsp.WorkspaceSymbol]:
    if not params.query.strip():
        return []  # pickers ask so before anything is typed
    answer = await _find(ls, params.query)
    if params.partial_result_token is None:
        return answer
    ls.progress(lsp.ProgressParams(params.partial_result_token, answer))
    return []


@guarded
async def _resolve(ls: CodewhereServer, symbol: lsp.WorkspaceSymbol) -> lsp.WorkspaceSymbol:
    if isinstance(symbol.location, lsp.Location):
        return symbol
    place = await ls.query(lambda: _locate(ls, symbol))
    symbol.location = lsp.Location(symbol.location.uri, place)
    return symbol


async def _find(ls: CodewhereServer, query: str) -> list[lsp.WorkspaceSymbol]:
    if not ls.workspaces.all():
        # Symbols come without notes.
        ls.tell_once(lsp.MessageType.Info, NO_FOLDER)
    limit, filters = ls.settings.limit, default_filters(ls)

    def ask_root(root: Root, overlay: Overlay | None) -> Answer:
        return root.open().search(query, limit=limit, filters=filters, overlay=overlay, dense=ls.model.ready)

    found = await ask(ls, ls.workspaces.all(), ask_root, limit, as_json=False)
    if not found.hits:
        _say_what_is_not_read(ls, found.notes)
    locator = Locator(ls.encoding, ls.documents.snapshots())
    return await ls.query(lambda: [_symbol(ls, hit, locator) for hit in found.hits])


def _say_what_is_not_read(ls: CodewhereServer, notes: Sequence[str]) -> None:
    """Of the notes, which symbols cannot carry, only these: pickers ask at every key, and what is typed changes."""
    sentences = {sentence for root in ls.workspaces.all() for sentence in not_read(root)}
    for note in notes:
        if note in sentences:
            ls.tell_once(lsp.MessageType.Info, note)


def _symbol(ls: CodewhereServer, hit: Hit, locator: Locator) -> lsp.WorkspaceSymbol:
    function = hit.result.function
    uri = hit.root.file_uri(function.path)
    location: lsp.Location | lsp.LocationUriOnly
    data: dict[str, Any] | None = None
    if _resolves_ranges(ls):
        location = lsp.LocationUriOnly(uri)
        data = {"symbol": function.symbol, "line": function.start_line}
    else:
        location = lsp.Location(uri, locator.name(hit.root, function))
    folder = f"{hit.root.name}/" if len(ls.workspaces.all()) > 1 else ""
    return lsp.WorkspaceSymbol(
        location=location,
        name=function.symbol or function.path.rpartition("/")[2],
        kind=symbol_kind(function.kind),
        container_name=f"{hit.result.score:.2f} · {folder}{function.path}",
        data=data,
    )


def _resolves_ranges(ls: CodewhereServer) -> bool:
    workspace = ls.client_capabilities.workspace
    support = workspace.symbol.resolve_support if workspace and workspace.symbol else None
    return support is not None and "location.range" in support.properties


def _locate(ls: CodewhereServer, symbol: lsp.WorkspaceSymbol) -> lsp.Range:
    """Where the symbol is now; the first line of the file where it is gone."""
    data = symbol.data if isinstance(symbol.data, dict) else {}
    home = ls.workspaces.of_uri(symbol.location.uri)
    start = lsp.Position(0, 0)
    if home is None:
        return lsp.Range(start, start)
    root, path = home
    snapshots = ls.documents.snapshots()
    functions = root.functions_of(path, snapshots)
    wanted, line = data.get("symbol"), data.get("line", 0)
    same: list[Function] = [function for function in functions if function.symbol == wanted]
    nearest = min(same, key=lambda function: abs(function.start_line - line), default=None)
    if nearest is None or not isinstance(line, int):
        return lsp.Range(start, start)
    return Locator(ls.encoding, snapshots).name(root, nearest)
