"""What is known of every root: files, functions, words and vectors, in one SQLite database.

The database is the truth, vectors included; the graphs of hnswlib are caches that can be made from it.
"""

from __future__ import annotations

from indexer.store.records import FileRow, GcReport, Hit, LexicalStatistics, RootRow, StoredFunction
from indexer.store.repair import check, repair
from indexer.store.store import Store

__all__ = [
    "FileRow",
    "GcReport",
    "Hit",
    "LexicalStatistics",
    "RootRow",
    "Store",
    "StoredFunction",
    "check",
    "repair",
]
