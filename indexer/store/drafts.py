"""Drafts: a guess at the vector of each content that still waits for its own (`indexer.embedding.draft`).

They are searched beside vectors and go when those come, so a root that is wholly embedded has none. Where both are
numbered together, a draft is the negative of its id.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from indexer.store.records import Ids, pack_vector
from indexer.types import Vectors


def add(db: sqlite3.Connection, model: int, contents: Sequence[int], vectors: Vectors) -> None:
    """Write a draft, float32 [n, dim], of each content that has no vector; those that are there stay.

    What garbage collection took meanwhile, content or model, is passed over.
    """
    db.executemany(
        "INSERT OR IGNORE INTO drafts (model_id, content_id, vector)"
        " SELECT models.id, contents.id, ? FROM models, contents WHERE models.id = ? AND contents.id = ?"
        " AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.content_id = contents.id AND v.model_id = models.id)",
        ((pack_vector(vector), model, content) for content, vector in zip(contents, vectors, strict=True)),
    )


def remove_outdated(db: sqlite3.Connection) -> None:
    """Delete the drafts beside vectors, which a process of a codewhere without drafts may leave behind."""
    db.execute(
        "DELETE FROM drafts WHERE EXISTS (SELECT 1 FROM vectors v"
        " WHERE v.content_id = drafts.content_id AND v.model_id = drafts.model_id)"
    )


def remove(db: sqlite3.Connection, model: int, contents: Iterable[int]) -> None:
    """Delete the drafts of contents."""
    statement = "DELETE FROM drafts WHERE model_id = ? AND content_id = ?"
    db.executemany(statement, ((model, content) for content in contents))


def load(db: sqlite3.Connection, ids: Ids, dim: int) -> tuple[Ids, Vectors]:
    """Drafts by their negative ids as float32 [n, dim], with those, ascending, that are really there."""
    statement = "SELECT id, vector FROM drafts WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC"
    rows = db.execute(statement, (str((-ids).tolist()),)).fetchall()
    found = np.frombuffer(b"".join(row[1] for row in rows), np.float16).reshape(len(rows), dim)
    return np.array([-row[0] for row in rows], np.int64), found.astype(np.float32)
