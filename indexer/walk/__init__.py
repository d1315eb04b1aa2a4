"""Which files of a folder are worth indexing, which are left out and why."""

from __future__ import annotations

from indexer.walk.content import file_hash, read_source, shown_path
from indexer.walk.demote import demotion, is_test_path
from indexer.walk.tree import changed_ns, walk

__all__ = ["changed_ns", "demotion", "file_hash", "is_test_path", "read_source", "shown_path", "walk"]
