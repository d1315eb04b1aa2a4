"""Which files are no longer what was indexed of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from indexer.store import FileRow
from indexer.walk import changed_ns, file_hash, read_source


def stale_files(root: Path, rows: Iterable[FileRow]) -> list[str]:
    """The paths of those files of a root whose content is another now, or gone."""
    return [row.path for row in rows if not _is_as_indexed(root, row)]


def _is_as_indexed(root: Path, row: FileRow) -> bool:
    try:
        status = (root / row.path).stat()
    except (OSError, ValueError):
        return False
    if status.st_size != row.size:
        return False
    if changed_ns(status) == row.changed_ns:
        return True
    # Touched, copied or checked out again, which need not change what is in it.
    content = read_source(root, row.path, max_file_bytes=row.size)
    return isinstance(content, bytes) and file_hash(content) == row.hash
