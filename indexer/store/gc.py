"""Garbage collection: what no root needs any more is kept for a time of grace, then freed.

The grace makes switching branches free of charge: the vectors of the other branch wait for its return.
"""

from __future__ import annotations

import sqlite3
import stat
import time
from contextlib import suppress
from pathlib import Path

from indexer.folders import GONE, why_away
from indexer.store import drafts, hnsw, write
from indexer.store.database import Database
from indexer.store.records import GcReport, from_blob

GRACE_DAYS = 14.0

_DAY_S = 86_400.0
_BATCH = 2_000  # contents in one transaction, so that writers of other roots need not wait long
_STALE_FILE_S = 3_600.0  # a graph file without header this old is what a killed process left


def collect(database: Database, graphs: Path, grace_days: float = GRACE_DAYS) -> GcReport:
    """Free the contents, vectors and roots that have been out of use for `grace_days`.

    A root goes when its folder has been found missing for that long.
    """
    database.checkpoint()  # or the log of earlier writes would count as freed
    before = folder_bytes(database.home)
    oldest = time.time() - grace_days * _DAY_S
    with database.writing() as db:
        _repair_clock(db)
        roots = _remove_missing_roots(db, oldest)
        vectors = _remove_unused_models(db, oldest)
        drafts.remove_outdated(db)
    contents = 0
    while True:
        with database.writing() as db:
            n_contents, n_vectors = _remove_contents(db, oldest)
        contents += n_contents
        vectors += n_vectors
        if n_contents < _BATCH:
            break
    with database.writing() as db:
        known = {int(row[0]) for row in db.execute("SELECT id FROM roots")}
        db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('gc_at', ?)", (time.time(),))
        hnsw.forget_missing(db, graphs)
    _remove_stale_graphs(graphs, known)
    database.shrink()
    return GcReport(roots, contents, vectors, max(0, before - folder_bytes(database.home)))


def last_run(db: sqlite3.Connection) -> float:
    """When garbage was collected last, in seconds since 1970; 0 for never."""
    row = db.execute("SELECT value FROM settings WHERE name = 'gc_at'").fetchone()
    return float(row[0]) if row else 0.0


def _repair_clock(db: sqlite3.Connection) -> None:
    # Where the clock was set back, marks from the future would keep garbage for too long.
    now = time.time()
    for table, column in (
        ("contents", "unused_since"),
        ("models", "unused_since"),
        ("roots", "missing_since"),
    ):
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} > ?", (now, now))


def _remove_missing_roots(db: sqlite3.Connection, oldest: float) -> int:
    removed = 0
    for id_, path, missing_since in db.execute("SELECT id, path, missing_since FROM roots").fetchall():
        away = why_away(Path(from_blob(path)))
        if not away:
            db.execute("UPDATE roots SET missing_since = NULL WHERE id = ?", (id_,))
        elif away != GONE:
            continue  # nobody knows what is there
        elif missing_since is None:
            db.execute("UPDATE roots SET missing_since = ? WHERE id = ?", (time.time(), id_))
        elif missing_since <= oldest:
            write.remove_root(db, id_)
            removed += 1
    return removed


def _remove_unused_models(db: sqlite3.Connection, oldest: float) -> int:
    used = "EXISTS (SELECT 1 FROM roots WHERE model_id = models.id)"
    db.execute(f"UPDATE models SET unused_since = NULL WHERE {used}")
    statement = f"UPDATE models SET unused_since = ? WHERE unused_since IS NULL AND NOT {used}"
    db.execute(statement, (time.time(),))
    ids = [row[0] for row in db.execute("SELECT id FROM models WHERE unused_since <= ?", (oldest,))]
    removed = 0
    for id_ in ids:
        removed += db.execute("DELETE FROM vectors WHERE model_id = ?", (id_,)).rowcount
        db.execute("DELETE FROM drafts WHERE model_id = ?", (id_,))
        db.execute("DELETE FROM models WHERE id = ?", (id_,))
    return removed


def _remove_contents(db: sqlite3.Connection, oldest: float) -> tuple[int, int]:
    statement = "SELECT id FROM contents WHERE unused_since <= ? LIMIT ?"
    ids = str([row[0] for row in db.execute(statement, (oldest, _BATCH))])
    chosen = "SELECT value FROM json_each(?)"
    vectors = db.execute(f"DELETE FROM vectors WHERE content_id IN ({chosen})", (ids,)).rowcount
    contents = db.execute(f"DELETE FROM contents WHERE id IN ({chosen})", (ids,)).rowcount
    return contents, vectors


def _remove_stale_graphs(folder: Path, known: set[int]) -> None:
    if not folder.is_dir():
        return
    valid = hnsw.files_in_use(folder)
    for path in folder.iterdir():
        root = path.name.split("-")[0]
        orphan = not root.isdigit() or int(root) not in known
        with suppress(FileNotFoundError):
            stale = path.name not in valid and time.time() - path.stat().st_mtime > _STALE_FILE_S
            if orphan or stale:
                path.unlink()


def folder_bytes(home: Path) -> int:
    """Bytes of all files in a folder; another process may remove some meanwhile."""
    total = 0
    for path in home.rglob("*"):
        with suppress(FileNotFoundError):
            status = path.stat()
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total
