"""`codewhere/similar`: functions like the one at a position, or like any piece of code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from indexer.errors import UserError
from indexer.types import Answer, Function, ParsedFile, SearchFilters
from lsp_server.features.search import Found, ask, default_filters
from lsp_server.params import SimilarParams, Token, read_similar
from lsp_server.positions import index_of_units, split_lines
from lsp_server.protocol import SIMILAR, guarded
from lsp_server.server import CodewhereServer
from lsp_server.workspaces import Root

if TYPE_CHECKING:
    from indexer.overlay import Overlay

_SELECTION = "selection"  # the made-up file that holds what is compared
_QUERY_CHARS = 200


@dataclass(frozen=True)
class Target:
    """What is compared: a function of a root, or a text that belongs to none."""

    function: Function
    root: Root | None = None


def register(server: CodewhereServer) -> None:
    """Adds the handler."""
    server.feature(SIMILAR)(_handle)


@guarded
async def _handle(ls: CodewhereServer, raw: object) -> dict[str, Any]:
    return await similar(ls, read_similar(raw))


async def similar(ls: CodewhereServer, params: SimilarParams) -> dict[str, Any]:
    """The answer as docs/protocol.md has it. Raises ValueError, and `UserError` while there is no model."""
    target = await ls.query(lambda: find_target(ls, params))
    if target is None:
        note = "There is no function at this position."
        return Found((), 0.0, (note,), 0.0).to_json("")
    found = await similar_to(
        ls,
        target,
        params.limit or ls.settings.limit,
        params.filters,
        params.roots,
        params.partial_result_token,
    )
    function = target.function
    return found.to_json(function.symbol or function.body[:_QUERY_CHARS])


async def similar_to(
    ls: CodewhereServer,
    target: Target,
    limit: int,
    filters: SearchFilters | None = None,
    roots: tuple[str, ...] | None = None,
    token: Token | None = None,
    *,
    as_json: bool = True,
) -> Found:
    """The nearest functions of every root."""
    ls.model.require()

    def ask_root(root: Root, overlay: Overlay | None) -> Answer:
        index = root.open()
        path, line = target.function.path, target.function.start_line + 1
        if root is not target.root:
            overlay = _with_selection(overlay, target.function)
            index.embed_overlay(overlay)
            path, line = _SELECTION, 1
        return index.similar(path, line, limit=limit, filters=filters or default_filters(ls), overlay=overlay)

    return await ask(ls, ls.workspaces.select(roots), ask_root, limit, token, as_json=as_json)


def find_target(ls: CodewhereServer, params: SimilarParams) -> Target | None:
    """What the parameters point at; None for a position in no function."""
    if params.text is not None:
        return Target(_selection(params.text, params.language))
    home = ls.workspaces.of_uri(params.uri)
    if home is None:
        raise UserError(f"{params.uri} is in no folder of the workspace.")
    root, path = home
    if params.range is not None and params.range.start != params.range.end:
        return Target(_selection(_text_of(ls, root, path, params.range), _language(path)))
    position = params.position or (params.range.start if params.range else lsp.Position(0, 0))
    function = function_at(root.functions_of(path, ls.documents.snapshots()), position.line)
    return None if function is None else Target(function, root)


def function_at(functions: tuple[Function, ...], line: int) -> Function | None:
    """The innermost function around a 0-based line."""
    around = [function for function in functions if function.start_line <= line < function.end_line]
    return min(around, key=lambda function: function.end_line - function.start_line, default=None)


def _selection(text: str, language: str) -> Function:
    lines = text.count("\n") + 1
    return Function(
        path=_SELECTION,
        language=language,
        kind="function",
        symbol="",
        start_byte=0,
        end_byte=len(text.encode("utf-8", "surrogatepass")),
        start_line=0,
        end_line=lines,
        doc="",
        signature="",
        body=text,
    )


def _with_selection(overlay: Overlay | None, function: Function) -> Overlay:
    from indexer.overlay import Overlay

    moved = _selection(function.body, function.language)
    files = dict(overlay.files) if overlay is not None else {}
    vectors = dict(overlay.vectors) if overlay is not None else {}
    files[_SELECTION] = ParsedFile(function.language, (moved,))
    return Overlay(files, vectors)


def _text_of(ls: CodewhereServer, root: Root, path: str, where: lsp.Range) -> str:
    """The text of a range, of the buffer where the file is open, else of the disk."""
    lines = split_lines(ls.documents.text_of(root.path / path))
    if where.start.line >= len(lines):
        return ""
    start = index_of_units(lines[where.start.line], where.start.character, ls.encoding)
    last = min(where.end.line, len(lines) - 1)
    end = index_of_units(lines[last], where.end.character, ls.encoding)
    if last == where.start.line:
        return lines[last][start:end]
    return "".join([lines[where.start.line][start:], *lines[where.start.line + 1 : last], lines[last][:end]])


def _language(path: str) -> str:
    from indexer.languages import language_of

    return language_of(path) or ""
