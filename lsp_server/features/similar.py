"""`codewhere/similar`: functions like the one at a position, or like any piece of code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from indexer.errors import UserError
from indexer.types import Answer, Function, SearchFilters
from lsp_server.features.search import Found, ask, default_filters
from lsp_server.params import SimilarParams, Token, read_similar
from lsp_server.positions import index_of_units, split_lines
from lsp_server.protocol import SIMILAR, guarded
from lsp_server.server import CodewhereServer
from lsp_server.workspaces import Root

if TYPE_CHECKING:
    from indexer.overlay import Overlay

_QUERY_CHARS = 200


@dataclass(frozen=True)
class Target:
    """What is compared: the function of a root at a line, or a text."""

    name: str
    text: str
    language: str
    root: Root | None = None
    path: str = ""
    line: int = 0
    """0-based; a line inside the function of `path`."""


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
        return Found((), 1.0, (note,), 0.0).to_json("")
    found = await similar_to(
        ls,
        target,
        params.limit or ls.settings.limit,
        params.filters,
        params.roots,
        params.partial_result_token,
    )
    return found.to_json(target.name or target.text[:_QUERY_CHARS])


async def similar_to(
    ls: CodewhereServer,
    target: Target,
    limit: int,
    filters: SearchFilters | None = None,
    roots: tuple[str, ...] | None = None,
    token: Token | None = None,
    *,
    min_score: float = 0.0,
    as_json: bool = True,
) -> Found:
    """The nearest functions of every root, those with a cosine below `min_score` left out."""
    ls.model.require()

    def ask_root(root: Root, overlay: Overlay | None) -> Answer:
        # Compared by its place, a function does not find itself; nor in a root that lies around or in its own.
        path = root.relative(target.root.path / target.path) if target.root else None
        at_home = root is target.root and root.is_wanted(target.path)
        return root.open().similar(
            path or "",
            target.line + 1,
            text=None if at_home else target.text,
            language=target.language,
            limit=limit,
            filters=filters or default_filters(ls),
            overlay=overlay,
            min_score=min_score,
        )

    return await ask(ls, ls.workspaces.select(roots), ask_root, limit, token, as_json=as_json)


def find_target(ls: CodewhereServer, params: SimilarParams) -> Target | None:
    """What the parameters point at; None for a position in no function."""
    if params.text is not None:
        return Target("", params.text, params.language)
    home = ls.workspaces.of_uri(params.uri)
    if home is None:
        raise UserError(f"{params.uri} is in no folder of the workspace.")
    root, path = home
    if params.range is not None and params.range.start != params.range.end:
        return Target("", _text_of(ls, root, path, params.range), _language(path))
    position = params.position or (params.range.start if params.range else lsp.Position(0, 0))
    function = function_at(root.functions_of(path, ls.documents.snapshots()), position.line)
    return None if function is None else target_of(root, function)


def target_of(root: Root, function: Function) -> Target:
    """A function of a root as what is compared."""
    return Target(function.symbol, function.body, function.language, root, function.path, function.start_line)


def function_at(functions: tuple[Function, ...], line: int) -> Function | None:
    """The innermost function around a 0-based line."""
    from indexer.similar import innermost

    return innermost(functions, line + 1)


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
