"""How many functions of a root have vectors; counted on from one state of the database to the next."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from indexer.store import catalogue, vectors


class Coverage(NamedTuple):
    """Of one root and model, in one state of the database."""

    generation: int
    model: int | None
    last_vector: int
    embedded: int
    functions: int


def refresh(db: sqlite3.Connection, root_id: int, model: int | None, old: Coverage | None) -> Coverage:
    """The coverage of now; `old` may be of any state of the same root. Needs a reading transaction.

    While a folder is embedded every search asks for it, and counting all functions takes a millisecond a thousand.
    """
    generation, last_vector = catalogue.generation(db, root_id), vectors.last_id(db)
    if old is None or (old.generation, old.model) != (generation, model):
        return Coverage(generation, model, last_vector, *_count(db, root_id, model))
    if old.last_vector >= last_vector:  # of another thread, whose transaction began later
        return old
    embedded = old.embedded + _count_since(db, root_id, model, old.last_vector)
    return old._replace(last_vector=last_vector, embedded=embedded)


def _count(db: sqlite3.Connection, root_id: int, model: int | None) -> tuple[int, int]:
    row = db.execute(
        "SELECT count(EXISTS (SELECT 1 FROM vectors v WHERE v.content_id = f.content_id AND v.model_id = ?) OR NULL),"
        " count(*) FROM files JOIN functions f ON f.file_id = files.id WHERE files.root_id = ?",
        (model, root_id),
    ).fetchone()
    return int(row[0]), int(row[1])


def _count_since(db: sqlite3.Connection, root_id: int, model: int | None, vector_id: int) -> int:
    """Functions of a root whose contents were embedded after a vector."""
    row = db.execute(
        "SELECT count(*) FROM (SELECT DISTINCT content_id FROM vectors WHERE id > ? AND model_id = ?) AS fresh"
        " CROSS JOIN functions f ON f.content_id = fresh.content_id CROSS JOIN files ON files.id = f.file_id"
        " WHERE files.root_id = ?",
        (vector_id, model, root_id),
    ).fetchone()
    return int(row[0])
