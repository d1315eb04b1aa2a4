"""`codewhere/status`: what is indexed, and with which model."""

from __future__ import annotations

from typing import Any

from indexer.errors import UserError
from lsp_server import checks
from lsp_server.protocol import STATUS, guarded
from lsp_server.server import CodewhereServer
from lsp_server.workspaces import Root


def register(server: CodewhereServer) -> None:
    """Adds the handler."""
    server.feature(STATUS)(_handle)


@guarded
async def _handle(ls: CodewhereServer, raw: object) -> dict[str, Any]:
    checks.read_object({} if raw is None else raw, {})
    return await fresh_status(ls)


async def fresh_status(ls: CodewhereServer) -> dict[str, Any]:
    """Counts each root again; `codewhere/status` as docs/protocol.md has it."""

    def count() -> None:
        for root in ls.workspaces.all():
            try:
                root.count()
            except UserError as error:
                root.tell("error", str(error))

    await ls.query(count)
    return status_to_json(ls)


def status_to_json(ls: CodewhereServer) -> dict[str, Any]:
    """The status as of the last look at each root; does not touch the disk."""
    roots = ls.workspaces.all()
    embedder = ls.model.embedder
    return {
        "roots": [_root_to_json(root) for root in roots],
        "model": embedder.name if embedder else None,
        "modelState": ls.model.state,
        "device": embedder.device if embedder else None,
        "version": ls.version,
        "diskBytes": max((root.state.counts.store_bytes for root in roots if root.state.counts), default=0),
    }


def _root_to_json(root: Root) -> dict[str, Any]:
    state = root.state
    counts = state.counts
    return {
        "uri": root.uri,
        "name": root.name,
        "files": counts.files if counts else 0,
        "functions": counts.functions if counts else 0,
        "embedded": counts.embedded if counts else 0,
        "coverage": round(counts.coverage, 4) if counts else 0.0,
        "state": state.state,
        "message": state.message,
        "etaSeconds": state.eta_seconds,
    }
