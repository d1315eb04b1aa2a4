"""Subcommands that hand over to a module with options of its own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from indexer.errors import UserError

# Module with a `main(arguments) -> int | None`, and the extra that brings what it needs.
_TOOLS = {
    "lsp": ("lsp_server", ""),
    "evaluate": ("indexer.evaluation", "evaluate"),
}


def run(name: str, arguments: Sequence[str]) -> int:
    """Run a tool with its own arguments; the exit status."""
    module, extra = _TOOLS[name]
    try:
        main = import_module(module).main
        return int(main(list(arguments)) or 0)
    except ModuleNotFoundError as error:
        if not extra or (error.name or "").startswith(("indexer", "lsp_server")):
            raise
        raise UserError(
            f"codewhere {name} needs {error.name}, which is not installed. "
            f"Run: pip install 'codewhere[{extra}]'"
        ) from error
