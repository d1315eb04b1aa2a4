"""Vectors as rows: one per (model, content, window), shared by every root."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from indexer.store import drafts
from indexer.store.filters import Where
from indexer.store.records import Ids, pack_vector, to_blob, unpack_text, unpack_vectors
from indexer.types import Vectors

_CHUNK = 20_000


class VectorRows(NamedTuple):
    """Which vectors find which functions: three columns, int64 [n] each, ordered by vector."""

    vector_ids: Ids
    function_ids: Ids
    file_ids: Ids


class Source(NamedTuple):
    """A table of vectors, and its ids as rows have them."""

    table: str
    id: str


VECTORS = Source("vectors", "v.id")
DRAFTS = Source("drafts", "-v.id")


def model_id(db: sqlite3.Connection, fingerprint: str) -> int | None:
    """The row of a model, None when nothing was ever embedded with it."""
    row = db.execute("SELECT id FROM models WHERE fingerprint = ?", (fingerprint,)).fetchone()
    return int(row[0]) if row else None


def ensure_model(db: sqlite3.Connection, fingerprint: str, name: str, dim: int) -> int:
    """The row of a model, written if it is new."""
    db.execute(
        "INSERT INTO models (fingerprint, name, dim) VALUES (?, ?, ?)"
        " ON CONFLICT (fingerprint) DO UPDATE SET name = excluded.name",
        (fingerprint, name, dim),
    )
    found = model_id(db, fingerprint)
    assert found is not None
    return found


def missing(
    db: sqlite3.Connection,
    root_id: int,
    model: int,
    first: Iterable[str] = (),
    only: Collection[str] | None = None,
) -> list[int]:
    """Contents of a root without a vector: those of the files `first`, then functions before prose and loose
    statements, file by file, tests and demoted files last.

    :param only: Paths of the only files that count.
    """
    statement = (
        "SELECT f.content_id, files.path FROM files JOIN functions f ON f.file_id = files.id"
        " WHERE files.root_id = ? AND NOT EXISTS (SELECT 1 FROM vectors v"
        " WHERE v.content_id = f.content_id AND v.model_id = ?)"
    )
    order = (
        " ORDER BY files.demoted != '' OR f.is_test, f.kind IN ('module', 'text'), files.path, f.start_byte"
    )
    if only is None:
        rows = db.execute(statement + order, (root_id, model)).fetchall()
    else:
        each = f"{statement} AND files.path = ?{order}"
        rows = [row for path in only for row in db.execute(each, (root_id, model, to_blob(path)))]
    urgent = {to_blob(path): rank for rank, path in enumerate(first)}
    rows.sort(key=lambda row: urgent.get(row[1], len(urgent)))
    return list(dict.fromkeys(row[0] for row in rows))


def still_missing(
    db: sqlite3.Connection, model: int, contents: Sequence[int], sources: Sequence[Source] = (VECTORS,)
) -> list[int]:
    """Those of the contents, in their order, that are still there and have a vector in none of the tables meanwhile."""
    rows = db.execute(
        "SELECT c.id FROM json_each(?) AS wanted JOIN contents c ON c.id = wanted.value"
        f" WHERE {_in_none('c.id', sources)}",
        (str(list(contents)), *(model for _ in sources)),
    )
    found = {row[0] for row in rows}
    return [id_ for id_ in contents if id_ in found]


def _in_none(content: str, sources: Sequence[Source]) -> str:
    """The condition that a content has no row of a model in any of the tables; the model is given once for each."""
    return " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {source.table} v WHERE v.content_id = {content} AND v.model_id = ?)"
        for source in sources
    )


def texts(db: sqlite3.Connection, contents: Sequence[int]) -> dict[int, str]:
    """What the embedder reads of each content; those that are gone are left out."""
    statement = "SELECT id, text FROM contents WHERE id IN (SELECT value FROM json_each(?))"
    return {id_: unpack_text(text) for id_, text in db.execute(statement, (str(list(contents)),))}


def add(db: sqlite3.Connection, model: int, contents: Iterable[tuple[int, Vectors]]) -> None:
    """Write all windows, float32 [windows, dim], of each content; vectors that are there already stay, drafts go.

    What garbage collection took meanwhile, content or model, is passed over.
    """
    contents = list(contents)
    db.executemany(
        "INSERT OR IGNORE INTO vectors (model_id, content_id, window, vector)"
        " SELECT models.id, contents.id, ?, ? FROM models, contents WHERE models.id = ? AND contents.id = ?",
        (
            (window, pack_vector(vector), model, content)
            for content, windows in contents
            for window, vector in enumerate(windows)
        ),
    )
    drafts.remove(db, model, (content for content, _ in contents))


def of_contents(db: sqlite3.Connection, model: int, hashes: Iterable[str]) -> dict[str, Vectors]:
    """The windows of contents by their hash; those without vectors are left out."""
    dim = db.execute("SELECT dim FROM models WHERE id = ?", (model,)).fetchone()[0]
    found: dict[str, Vectors] = {}
    for hash_ in set(hashes):
        rows = db.execute(
            "SELECT v.vector FROM contents c JOIN vectors v ON v.content_id = c.id"
            " WHERE c.hash = ? AND v.model_id = ? ORDER BY v.window",
            (bytes.fromhex(hash_), model),
        ).fetchall()
        if rows:
            found[hash_] = unpack_vectors([row[0] for row in rows], dim)
    return found


def without(
    db: sqlite3.Connection,
    model: int | None,
    functions: Iterable[int],
    sources: Sequence[Source] = (VECTORS,),
) -> set[int]:
    """Those of the functions that have no vector of a model in any of the tables."""
    rows = db.execute(
        "SELECT f.id FROM json_each(?) AS asked JOIN functions f ON f.id = asked.value"
        f" WHERE {_in_none('f.content_id', sources)}",
        (str(list(functions)), *(model for _ in sources)),
    )
    return {row[0] for row in rows}


def contents_of(db: sqlite3.Connection, functions: Sequence[int]) -> list[int]:
    """The contents of functions that are still there, in their order."""
    rows = db.execute(
        "SELECT f.content_id FROM json_each(?) AS asked JOIN functions f ON f.id = asked.value ORDER BY asked.key",
        (str(list(functions)),),
    )
    return [row[0] for row in rows]


def any_of(db: sqlite3.Connection, root_id: int) -> bool:
    """Whether any function of a root has a vector of any model."""
    row = db.execute(
        "SELECT 1 FROM files JOIN functions f ON f.file_id = files.id"
        " JOIN vectors v ON v.content_id = f.content_id WHERE files.root_id = ? LIMIT 1",
        (root_id,),
    ).fetchone()
    return row is not None


def rows_of(
    db: sqlite3.Connection,
    root_id: int,
    model: int,
    newer_than: int | None = None,
    source: Source = VECTORS,
) -> VectorRows:
    """The rows of a root, or only those of files whose functions changed after a generation."""
    newer = "" if newer_than is None else f"AND files.generation > {int(newer_than)}"
    # CROSS keeps the order of the tables: the planner would read all vectors of the model first, of every root.
    cursor = db.execute(
        f"SELECT {source.id}, f.id, f.file_id FROM files CROSS JOIN functions f ON f.file_id = files.id"
        f" CROSS JOIN {source.table} v ON v.content_id = f.content_id AND v.model_id = ?"
        f" WHERE files.root_id = ? {newer}",
        (model, root_id),
    )
    return _vector_rows(cursor)


def rows_after(
    db: sqlite3.Connection, root_id: int, model: int, after: int, source: Source = VECTORS
) -> VectorRows:
    """The rows of a root whose vectors were added after one."""
    cursor = db.execute(
        f"SELECT {source.id}, f.id, f.file_id FROM {source.table} v JOIN functions f ON f.content_id = v.content_id"
        " JOIN files ON files.id = f.file_id WHERE v.id > ? AND v.model_id = ? AND files.root_id = ?",
        (after, model, root_id),
    )
    return _vector_rows(cursor)


def last_id(db: sqlite3.Connection, source: Source = VECTORS) -> int:
    """The youngest of the whole store; another one whenever something was added, as no id is given twice."""
    return int(db.execute(f"SELECT coalesce(max(id), 0) FROM {source.table}").fetchone()[0])


def load(db: sqlite3.Connection, ids: Ids, dim: int) -> tuple[Ids, Vectors]:
    """Vectors by id as float32 [n, dim], with the ids, ascending, that are really there."""
    kept: list[int] = []
    blobs: list[bytes] = []
    for start in range(0, len(ids), _CHUNK):
        batch = str(ids[start : start + _CHUNK].tolist())
        statement = "SELECT id, vector FROM vectors WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        for id_, blob in db.execute(statement, (batch,)):
            kept.append(id_)
            blobs.append(blob)
    return np.array(kept, np.int64), unpack_vectors(blobs, dim)


def matching(db: sqlite3.Connection, where: Where) -> Ids:
    """Ids of the functions that pass a filter."""
    statement = f"SELECT f.id FROM functions f WHERE {where.sql}"
    return np.array([row[0] for row in db.execute(statement, where.parameters)], np.int64)


def _vector_rows(cursor: Iterator[tuple[int, int, int]]) -> VectorRows:
    return by_vector(np.array(list(cursor), np.int64).reshape(-1, 3))


def by_vector(table: Ids) -> VectorRows:
    """Rows, int64 [n, 3], in order, each once."""
    # To have `np.unique` sort whole rows takes ten times as long.
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    first = np.append(True, (table[1:] != table[:-1]).any(axis=1))[: len(table)]
    return VectorRows(*(np.ascontiguousarray(column) for column in table[first].T))
