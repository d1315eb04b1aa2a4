"""The own requests as `workspace/executeCommand`, and what steers indexing, for clients without them.

The ids begin with ``codewhere.server.`` because VS Code registers them as its own commands, where those of
the extension must not be among them.
"""

from __future__ import annotations

from typing import Any

from lsp_server import checks
from lsp_server.features.lifecycle import pause
from lsp_server.features.search import search
from lsp_server.features.similar import similar
from lsp_server.features.status import fresh_status, status_to_json
from lsp_server.params import named, read_search, read_similar
from lsp_server.protocol import guarded
from lsp_server.server import CodewhereServer
from lsp_server.workspaces import Root


def register(server: CodewhereServer) -> None:
    """Adds the commands."""
    server.command("codewhere.server.search")(_run_search)
    server.command("codewhere.server.similar")(_run_similar)
    server.command("codewhere.server.status")(_run_status)
    server.command("codewhere.server.reindex")(_reindex)
    server.command("codewhere.server.pause")(_run_pause)
    server.command("codewhere.server.resume")(_resume)


@guarded
async def _run_search(ls: CodewhereServer, arguments: list[Any]) -> dict[str, Any]:
    return await search(ls, read_search(named(arguments, ("query", "limit", "filters"))))


@guarded
async def _run_similar(ls: CodewhereServer, arguments: list[Any]) -> dict[str, Any]:
    raw = named(arguments, ("uri", "line", "limit"))
    if "uri" in raw:
        line = {"line": raw.pop("line", None), "character": 0}
        raw = {"textDocument": {"uri": raw.pop("uri")}, "position": line, **raw}
    return await similar(ls, read_similar(raw))


@guarded
async def _run_status(ls: CodewhereServer, arguments: list[Any]) -> dict[str, Any]:
    checks.read_object(named(arguments, ()), {})
    return await fresh_status(ls)


@guarded
async def _reindex(ls: CodewhereServer, arguments: list[Any]) -> dict[str, Any]:
    roots = _roots(ls, arguments)
    if ls.model.state == "failed":
        ls.load_model()
    for root in roots:
        root.paused = False
        ls.index(root)
    return status_to_json(ls)


@guarded
async def _run_pause(ls: CodewhereServer, arguments: list[Any]) -> dict[str, Any]:
    for root in _roots(ls, arguments):
        pause(ls, root)
    ls.announce("pause")
    return status_to_json(ls)


@guarded
async def _resume(ls: CodewhereServer, arguments: list[Any]) -> dict[str, Any]:
    for root in _roots(ls, arguments):
        if root.paused:
            root.paused = False
            ls.index(root)
    ls.announce("pause")
    return status_to_json(ls)


def _roots(ls: CodewhereServer, arguments: list[Any]) -> list[Root]:
    uri = named(arguments, ("uri",)).get("uri")
    if uri is not None and not isinstance(uri, str):
        raise ValueError("uri: a text is expected")
    return ls.workspaces.select(None if uri is None else [uri])
