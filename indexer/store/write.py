"""Writing what parsing found: only functions that really changed touch the lexical index."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from indexer.rank.tokens import TOKENS_VERSION
from indexer.store import catalogue, lexical
from indexer.store.records import FileRow, from_blob, to_blob
from indexer.types import Function

_Key = tuple[str, int, str]
"""Content hash, length of the doc comment, symbol: what the lexical index depends on beside the path."""


def ensure_root(db: sqlite3.Connection, path: str) -> int:
    """The id of the root at an absolute path, written with an empty lexical index if it is new."""
    root = catalogue.find_root(db, path)
    if root is not None:
        db.execute("UPDATE roots SET missing_since = NULL WHERE id = ?", (root.id,))
        return root.id
    statement = "INSERT INTO roots (path, tokens_version) VALUES (?, ?)"
    root_id = int(db.execute(statement, (to_blob(path), TOKENS_VERSION)).lastrowid or 0)
    lexical.create(db, root_id)
    return root_id


def replace_functions(
    db: sqlite3.Connection, root_id: int, generation: int, file: FileRow, functions: Sequence[Function]
) -> None:
    """Make `functions` the functions of a file; those with equal content keep their rows."""
    file_id = catalogue.upsert_file(db, root_id, file, generation)
    old = _rows_by_key(db, file_id)
    added: list[tuple[int, Function]] = []
    for function in functions:
        same = old.get(_key(function))
        if same:
            catalogue.move_function(db, same.pop(), function)
        else:
            content = catalogue.ensure_content(db, function)
            added.append((catalogue.insert_function(db, file_id, content, function), function))
    _delete(db, root_id, [id_ for ids in old.values() for id_ in ids])
    lexical.insert(db, root_id, added)


def remove_files(db: sqlite3.Connection, root_id: int, file_ids: Iterable[int]) -> None:
    """Delete files with their functions."""
    for file_id in file_ids:
        _delete(db, root_id, [id_ for ids in _rows_by_key(db, file_id).values() for id_ in ids])
        db.execute("DELETE FROM files WHERE id = ?", (file_id,))


def remove_root(db: sqlite3.Connection, root_id: int) -> None:
    """Forget a root. Its vectors stay for their time of grace."""
    lexical.drop(db, root_id)
    statement = "SELECT f.id FROM files JOIN functions f ON f.file_id = files.id WHERE files.root_id = ?"
    catalogue.delete_functions(db, [row[0] for row in db.execute(statement, (root_id,))])
    db.execute("DELETE FROM roots WHERE id = ?", (root_id,))


def _delete(db: sqlite3.Connection, root_id: int, ids: list[int]) -> None:
    stored = catalogue.functions(db, ids).values()
    lexical.delete(db, root_id, [(function.id, function.function) for function in stored])
    catalogue.delete_functions(db, ids)


def _rows_by_key(db: sqlite3.Connection, file_id: int) -> dict[_Key, list[int]]:
    rows = db.execute(
        "SELECT f.id, c.hash, f.doc_chars, f.symbol FROM functions f JOIN contents c ON c.id = f.content_id"
        " WHERE f.file_id = ? ORDER BY f.start_byte DESC",
        (file_id,),
    )
    found: dict[_Key, list[int]] = defaultdict(list)
    for id_, hash_, doc_chars, symbol in rows:
        found[hash_.hex(), doc_chars, from_blob(symbol)].append(id_)
    return found


def _key(function: Function) -> _Key:
    return function.content_hash, len(function.doc), function.symbol
