"""codewhere: semantic code search on your own machine. The engine; it knows nothing of editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.engine import Index, open_index

__all__ = ["Index", "open_index"]


def __getattr__(name: str) -> object:
    # Loaded on first use: importing the package must stay cheap for the command line and the server.
    if name in __all__:
        from indexer import engine

        return getattr(engine, name)
    raise AttributeError(f"module 'indexer' has no attribute {name!r}")
