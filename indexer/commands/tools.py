"""Subcommands that hand over to another package with an interface of its own."""

from __future__ import annotations

from collections.abc import Sequence


def lsp(arguments: Sequence[str]) -> int:
    """Run the language server until the editor ends it; the exit status."""
    from lsp_server import main

    return int(main(list(arguments)) or 0)
