"""Roots, files and functions: the part of the store that is plain rows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from indexer.errors import UserError
from indexer.store.records import (
    FileRow,
    RootRow,
    StoredFunction,
    from_blob,
    pack_text,
    to_blob,
    unpack_text,
)
from indexer.types import Function, SkippedFile

_FUNCTION = """
    SELECT f.id, files.path, f.language, f.kind, f.symbol, f.start_byte, f.end_byte, f.start_line, f.end_line,
           f.doc_chars, f.signature, contents.text, files.demoted, f.is_test
    FROM functions f JOIN files ON files.id = f.file_id JOIN contents ON contents.id = f.content_id
"""
_ROOT = """
    SELECT roots.id, roots.path, generation, tokens_version, coalesce(name, ''), coalesce(fingerprint, ''),
           updated_at
    FROM roots LEFT JOIN models ON models.id = roots.model_id
"""
_FILE = "SELECT id, path, size, mtime_ns, hash, demoted, parser_version FROM files"
_CHUNK = 10_000  # ids in one statement; each is bound as part of one JSON text


def roots(db: sqlite3.Connection) -> list[RootRow]:
    """All roots, ordered by path."""
    return [_root(row) for row in db.execute(f"{_ROOT} ORDER BY roots.path")]


def find_root(db: sqlite3.Connection, path: str) -> RootRow | None:
    """The root at an absolute path, None when that folder was never indexed."""
    row = db.execute(f"{_ROOT} WHERE roots.path = ?", (to_blob(path),)).fetchone()
    return _root(row) if row else None


def generation(db: sqlite3.Connection, root_id: int) -> int:
    """The generation of a root; -1 where there is none."""
    row = db.execute("SELECT generation FROM roots WHERE id = ?", (root_id,)).fetchone()
    return int(row[0]) if row else -1


def bump(db: sqlite3.Connection, root_id: int) -> int:
    """Raise the generation of a root, which tells every reader to look again."""
    statement = "UPDATE roots SET generation = generation + 1 WHERE id = ? RETURNING generation"
    # fetchall, because the statement holds the transaction open until its last row is fetched.
    rows = db.execute(statement, (root_id,)).fetchall()
    if not rows:
        raise UserError("The index of this folder was removed meanwhile. Run `codewhere index` again.")
    return int(rows[0][0])


def files(db: sqlite3.Connection, root_id: int, paths: Iterable[str] | None = None) -> dict[str, FileRow]:
    """The files of a root by path: all of them, or those at and below some paths."""
    if paths is None:
        rows = db.execute(f"{_FILE} WHERE root_id = ?", (root_id,)).fetchall()
    else:
        ranges = [(root_id, *_range(path)) for path in paths]
        statement = f"{_FILE} WHERE root_id = ? AND (path = ? OR path >= ? AND path < ?)"
        rows = [row for values in ranges for row in db.execute(statement, values)]
    return {(path := from_blob(row[1])): FileRow(row[0], path, *row[2:]) for row in rows}


def upsert_file(db: sqlite3.Connection, root_id: int, file: FileRow, generation: int) -> int:
    """Write a file's row and return its id; `file.id` does not count."""
    row = db.execute(
        "INSERT INTO files (root_id, path, size, mtime_ns, hash, demoted, parser_version, generation)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (root_id, path) DO UPDATE SET size = excluded.size,"
        " mtime_ns = excluded.mtime_ns, hash = excluded.hash, demoted = excluded.demoted,"
        " parser_version = excluded.parser_version, generation = excluded.generation RETURNING id",
        (root_id, to_blob(file.path), *file[2:], generation),
    ).fetchall()[0]
    return int(row[0])


def touch_file(db: sqlite3.Connection, file: FileRow) -> None:
    """Write what may change of a file while its functions stay."""
    db.execute(
        "UPDATE files SET size = ?, mtime_ns = ?, demoted = ? WHERE id = ?",
        (file.size, file.changed_ns, file.demoted, file.id),
    )


def functions(db: sqlite3.Connection, ids: Iterable[int]) -> dict[int, StoredFunction]:
    """Functions by id; ids that are gone are left out."""
    found: dict[int, StoredFunction] = {}
    for batch in _batches(list(ids)):
        for row in db.execute(f"{_FUNCTION} WHERE f.id IN (SELECT value FROM json_each(?))", (batch,)):
            found[row[0]] = _stored(row)
    return found


def functions_in(db: sqlite3.Connection, root_id: int, path: str) -> list[StoredFunction]:
    """The functions of one file, in the order of the file."""
    where = "WHERE files.root_id = ? AND files.path = ? ORDER BY f.start_byte, f.end_byte, f.id"
    return [_stored(row) for row in db.execute(f"{_FUNCTION} {where}", (root_id, to_blob(path)))]


def all_functions(db: sqlite3.Connection, root_id: int) -> Iterator[StoredFunction]:
    """Every function of a root."""
    return (_stored(row) for row in db.execute(f"{_FUNCTION} WHERE files.root_id = ?", (root_id,)))


def ensure_content(db: sqlite3.Connection, function: Function) -> int:
    """The id of a function's content, written if it is new; it counts as used from now on."""
    key = bytes.fromhex(function.content_hash)
    row = db.execute("SELECT id, unused_since FROM contents WHERE hash = ?", (key,)).fetchone()
    if row is None:
        statement = "INSERT INTO contents (hash, text) VALUES (?, ?)"
        return int(db.execute(statement, (key, pack_text(function.text))).lastrowid or 0)
    if row[1] is not None:
        db.execute("UPDATE contents SET unused_since = NULL WHERE id = ?", (row[0],))
    return int(row[0])


def insert_function(db: sqlite3.Connection, file_id: int, content_id: int, function: Function) -> int:
    """Write one function and return its id, which is never given to another."""
    cursor = db.execute(
        "INSERT INTO functions (file_id, content_id, language, symbol, kind, doc_chars, signature,"
        " start_byte, end_byte, start_line, end_line, is_test) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (file_id, content_id, function.language, to_blob(function.symbol), *_layout(function)),
    )
    return int(cursor.lastrowid or 0)


def move_function(db: sqlite3.Connection, function_id: int, function: Function) -> None:
    """Write the new place of a function whose content did not change."""
    db.execute(
        "UPDATE functions SET kind = ?, doc_chars = ?, signature = ?, start_byte = ?, end_byte = ?,"
        " start_line = ?, end_line = ?, is_test = ? WHERE id = ?",
        (*_layout(function), function_id),
    )


def delete_functions(db: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Delete functions; contents nobody uses any more start their time of grace."""
    contents: set[int] = set()
    for batch in _batches(ids):
        chosen = "SELECT value FROM json_each(?)"
        contents.update(
            row[0] for row in db.execute(f"SELECT content_id FROM functions WHERE id IN ({chosen})", (batch,))
        )
        db.execute(f"DELETE FROM functions WHERE id IN ({chosen})", (batch,))
    for batch in _batches(sorted(contents)):
        db.execute(
            "UPDATE contents SET unused_since = ? WHERE id IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM functions WHERE content_id = contents.id)",
            (time.time(), batch),
        )


def skipped(db: sqlite3.Connection, root_id: int) -> list[SkippedFile]:
    """What the last updates left out, by path."""
    rows = db.execute("SELECT path, reason FROM skipped WHERE root_id = ? ORDER BY path", (root_id,))
    return [SkippedFile(from_blob(path), reason) for path, reason in rows]


def add_skipped(db: sqlite3.Connection, root_id: int, items: Iterable[SkippedFile]) -> None:
    """Remember what was left out; a path already there gets the new reason."""
    rows = [(root_id, to_blob(item.path), item.reason) for item in items]
    db.executemany("INSERT OR REPLACE INTO skipped (root_id, path, reason) VALUES (?, ?, ?)", rows)


def remove_skipped(db: sqlite3.Connection, root_id: int, paths: Iterable[str] | None) -> None:
    """Forget what was left out, everywhere or at and below some paths."""
    if paths is None:
        db.execute("DELETE FROM skipped WHERE root_id = ?", (root_id,))
        return
    statement = "DELETE FROM skipped WHERE root_id = ? AND (path = ? OR path >= ? AND path < ?)"
    db.executemany(statement, [(root_id, *_range(path)) for path in paths])


def disk_bytes(db: sqlite3.Connection, root_id: int) -> int:
    """Bytes of the rows of a root, shared contents and vectors of all models included, drafts not."""
    contents = (
        "SELECT DISTINCT f.content_id FROM files JOIN functions f ON f.file_id = files.id"
        " WHERE files.root_id = ?"
    )
    statements = (
        f"SELECT sum(length(text)) FROM contents WHERE id IN ({contents})",
        f"SELECT sum(length(vector)) FROM vectors WHERE content_id IN ({contents})",
        f"SELECT sum(length(block)) FROM lexical_{int(root_id)}_data WHERE ? IS NOT NULL",
    )
    return sum(db.execute(statement, (root_id,)).fetchone()[0] or 0 for statement in statements)


def _range(path: str) -> tuple[bytes, bytes, bytes]:
    """A path, and where all that is below it starts and ends: "0" follows "/"."""
    blob = to_blob(path.strip("/"))
    return blob, blob + b"/", blob + b"0"


def _layout(function: Function) -> tuple[object, ...]:
    """The columns kind to is_test: all that may change while the content stays."""
    starts = function.body.startswith(function.signature)
    signature = len(function.signature) if starts else to_blob(function.signature)
    place = (function.start_byte, function.end_byte, function.start_line, function.end_line)
    return (function.kind, len(function.doc), signature, *place, function.is_test)


def _root(row: tuple[Any, ...]) -> RootRow:
    id_, path, *rest = row
    return RootRow(id_, from_blob(path), *rest)


def _stored(row: tuple[Any, ...]) -> StoredFunction:
    id_, path, language, kind, symbol_blob, start, end, first, last, doc_chars, signature, text = row[:12]
    demoted, is_test = row[12:]
    symbol = from_blob(symbol_blob)
    doc, body = _split(unpack_text(text), language, symbol, doc_chars)
    function = Function(
        path=from_blob(path),
        language=language,
        kind=kind,
        symbol=symbol,
        start_byte=start,
        end_byte=end,
        start_line=first,
        end_line=last,
        doc=doc,
        signature=body[:signature] if isinstance(signature, int) else from_blob(signature),
        body=body,
        is_test=bool(is_test),
    )
    return StoredFunction.of(id_, function, demoted)


def _split(text: str, language: str, symbol: str, doc_chars: int) -> tuple[str, str]:
    """The doc comment and the body within `Function.text`."""
    head = len(f"{language} {symbol}".strip())
    rest = text[head + 1 :] if head else text
    return (rest[:doc_chars], rest[doc_chars + 1 :]) if doc_chars else ("", rest)


def _batches(ids: Sequence[int]) -> Iterator[str]:
    for start in range(0, len(ids), _CHUNK):
        yield str([int(id_) for id_ in ids[start : start + _CHUNK]])
