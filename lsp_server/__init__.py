"""The language server: everything that knows of editors, and nothing that knows how to search."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until the editor ends it; the exit status."""
    from lsp_server.main import main as run

    return run(arguments)
