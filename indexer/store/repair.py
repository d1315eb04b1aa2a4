"""What `codewhere doctor` finds out about a store, and how it sets it right without losing a vector."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import numpy as np

from indexer.errors import UserError
from indexer.store import catalogue, hnsw, lexical, schema
from indexer.store.database import FILE_NAME, Database
from indexer.store.records import to_blob, unpack_text
from indexer.store.store import Store
from indexer.types import hash_of

_STEP = 200  # rows read at once from a damaged file; a step that fails is read row by row
_LEAST_RECALL = 0.95  # a graph below this is not worth keeping
_NORM_SLACK = 0.02  # of the squared length; rounding to float16 takes less than 0.002
_SIDE_FILES = ("", "-wal", "-shm")
_UNUSED = "NOT EXISTS (SELECT 1 FROM functions WHERE content_id = contents.id)"


def check(home: Path) -> list[str]:
    """Sentences on what is wrong with the store in a folder; empty when all is well."""
    problem = _damage(home)
    if problem:
        return [problem]
    database = Database(home)
    try:
        return _sentences(database)
    except UserError as error:
        return [str(error)]
    finally:
        database.close()


def repair(home: Path) -> list[str]:
    """Set right what `check` finds, and say what was done. End other codewhere processes before."""
    done: list[str] = []
    if _damage(home):
        done.append(_salvage(home))
    database = Database(home)
    try:
        if done or _sentences(database):
            done += _cure(database)
    finally:
        database.close()
    return done + _drop_poor_graphs(home)


_Fault = tuple[str, Callable[[], object]]
_Begin = Callable[[], AbstractContextManager[sqlite3.Connection]]


def _sentences(database: Database) -> list[str]:
    """What is wrong. Reading all there is takes a while, in which other processes go on to write."""
    graphs = database.home / hnsw.FOLDER
    return [sentence for sentence, _ in _faults(graphs, database.reading, database.writing)]


def _cure(database: Database) -> list[str]:
    done = []
    with database.writing() as db:
        for sentence, cure in list(_faults(database.home / hnsw.FOLDER, *2 * (lambda: nullcontext(db),))):
            cure()
            done.append(sentence)
        # Damage that nobody sees, such as another line number, is set right by reading all files again.
        db.execute("UPDATE files SET mtime_ns = -1, parser_version = 0")
    return done


def _faults(graphs: Path, reading: _Begin, writing: _Begin) -> Iterator[_Fault]:
    """What is wrong in a database that SQLite itself finds whole, each with its cure; order matters."""
    with reading() as db:
        yield from _altered_contents(db)
        roots = catalogue.roots(db)
    for root in roots:
        # FTS5 looks into its index only while it may write to it; that is quick.
        with writing() as db:
            is_there = root.id in {known.id for known in catalogue.roots(db)}
            if is_there and not _words_agree(db, root.id):
                yield (
                    f"The index of words of {root.path} is out of step.",
                    _bind(lexical.rebuild, db, root.id),
                )
    with reading() as db:
        yield from _wrong_marks(db)
        yield from _altered_vectors(db)
        yield from _altered_drafts(db)
    for path in _broken_headers(graphs, reading):
        yield f"The graph {path.name} is missing, cut, altered or of another database.", path.unlink


def _wrong_marks(db: sqlite3.Connection) -> Iterator[_Fault]:
    yield from _rows_at_fault(
        db,
        "contents",
        f"unused_since IS NULL AND {_UNUSED}",
        "without a mark that they are unused",
        f"UPDATE contents SET unused_since = {time.time()}",
    )
    yield from _rows_at_fault(
        db,
        "contents",
        f"unused_since IS NOT NULL AND NOT {_UNUSED}",
        "marked as unused though they are used",
        "UPDATE contents SET unused_since = NULL",
    )


def _broken_headers(graphs: Path, reading: _Begin) -> list[Path]:
    """Those that are broken at a second look too: a graph may be replaced between its header and its file."""
    with reading() as db:
        broken = hnsw.broken_headers(db, graphs)
    if not broken:
        return []
    with reading() as db:
        return [path for path in hnsw.broken_headers(db, graphs) if path in broken]


def _altered_contents(db: sqlite3.Connection) -> Iterator[_Fault]:
    """Texts that are not those their hashes were made of; SQLite does not look at what its rows hold."""
    rows = db.execute("SELECT id, hash, text FROM contents")
    ids = [id_ for id_, hash_, text in rows if not _is_sound(hash_, text)]
    if ids:
        yield (
            f"{len(ids)} contents are not what they were when they were written.",
            _bind(_read_anew, db, ids),
        )


def _read_anew(db: sqlite3.Connection, contents: list[int]) -> None:
    """Forget contents with all that came of them; the next update reads their files again."""
    chosen = str(contents)
    having = "SELECT id FROM functions WHERE content_id IN (SELECT value FROM json_each(?))"
    roots = f"SELECT DISTINCT root_id FROM files JOIN functions f ON f.file_id = files.id WHERE f.id IN ({having})"
    touched = [row[0] for row in db.execute(roots, (chosen,))]
    db.execute(
        "UPDATE files SET hash = x'', mtime_ns = -1, parser_version = 0 WHERE id IN (SELECT file_id FROM functions"
        f" WHERE id IN ({having}))",
        (chosen,),
    )
    db.execute(f"DELETE FROM functions WHERE id IN ({having})", (chosen,))
    db.execute("DELETE FROM contents WHERE id IN (SELECT value FROM json_each(?))", (chosen,))
    for root_id in touched:
        db.execute("UPDATE roots SET generation = generation + 1 WHERE id = ?", (root_id,))
        lexical.rebuild(db, root_id)


def _altered_vectors(db: sqlite3.Connection) -> Iterator[_Fault]:
    """Vectors that lack numbers or are not of length one, as all are that were ever written."""
    rows = db.execute(
        "SELECT v.id, v.vector, models.dim FROM vectors v JOIN models ON models.id = v.model_id"
    )
    ids = [id_ for id_, blob, dim in rows if not _is_unit(blob, dim)]
    if ids:
        yield f"{len(ids)} vectors are altered.", _bind(_forget_vectors, db, ids)


def _forget_vectors(db: sqlite3.Connection, ids: list[int]) -> None:
    # All windows of a content go together: one that has some of them counts as embedded.
    db.execute(
        "DELETE FROM vectors WHERE (content_id, model_id) IN (SELECT content_id, model_id FROM vectors"
        " WHERE id IN (SELECT value FROM json_each(?)))",
        (str(ids),),
    )
    _have_read_anew(db)


def _altered_drafts(db: sqlite3.Connection) -> Iterator[_Fault]:
    """Drafts that lack numbers, or whose length, which the model chooses, is none at all."""
    rows = db.execute("SELECT d.id, d.vector, models.dim FROM drafts d JOIN models ON models.id = d.model_id")
    ids = [id_ for id_, blob, dim in rows if not 0 < _squared_length(blob, dim) < np.inf]
    if ids:
        yield f"{len(ids)} drafts are altered.", _bind(_forget_drafts, db, ids)


def _forget_drafts(db: sqlite3.Connection, ids: list[int]) -> None:
    db.execute("DELETE FROM drafts WHERE id IN (SELECT value FROM json_each(?))", (str(ids),))
    _have_read_anew(db)


def _have_read_anew(db: sqlite3.Connection) -> None:
    """Let every process forget what it knows of the vectors of all files."""
    db.execute("UPDATE roots SET generation = generation + 1")
    db.execute("UPDATE files SET generation = (SELECT generation FROM roots WHERE roots.id = root_id)")


def _is_unit(blob: bytes, dim: int) -> bool:
    return abs(_squared_length(blob, dim) - 1) < _NORM_SLACK  # false for what is not a number


def _squared_length(blob: bytes, dim: int) -> float:
    if len(blob) != 2 * dim:
        return 0.0
    vector = np.frombuffer(blob, np.float16).astype(np.float32)
    return float(vector @ vector)


def _drop_poor_graphs(home: Path) -> list[str]:
    store = Store(home)
    try:
        recalls = [(root, store.recall(root.id)) for root in store.roots()]
    finally:
        store.close()
    done = []
    for root, recall in recalls:
        if recall is not None and recall < _LEAST_RECALL:
            hnsw.remove(home / hnsw.FOLDER, root.id)
            done.append(
                f"The graph of {root.path} found only {recall:.0%} of the nearest functions and was removed;"
                " vectors are scanned one by one until `codewhere index` builds it anew."
            )
    return done


def _rows_at_fault(
    db: sqlite3.Connection, table: str, condition: str, what: str, cure: str
) -> Iterator[_Fault]:
    count = db.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0]
    if count:
        yield f"{count} {table} {what}.", _bind(db.execute, f"{cure} WHERE {condition}")


def _bind(function: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: function(*arguments)


def _words_agree(db: sqlite3.Connection, root_id: int) -> bool:
    try:
        lexical.verify(db, root_id)
        indexed = lexical.statistics(db, root_id, ()).n_functions
    except sqlite3.DatabaseError:
        return False
    statement = "SELECT count(*) FROM files JOIN functions f ON f.file_id = files.id WHERE files.root_id = ?"
    return bool(db.execute(statement, (root_id,)).fetchone()[0] == indexed)


def _damage(home: Path) -> str:
    """What SQLite says of the file; empty when it is whole. Other errors (full disk, newer format) pass."""
    if not (home / FILE_NAME).exists():
        return ""  # connecting would make one that others can read
    if (home / FILE_NAME).is_dir():
        return f"{home / FILE_NAME} is a folder, where the database should be."
    try:
        connection = sqlite3.connect(home / FILE_NAME)
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            found = schema.disorder(connection) if found == "ok" else found
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise UserError(f"Cannot open {home / FILE_NAME}: {error}. Check that you may read it.") from error
    except sqlite3.DatabaseError as error:
        found = str(error)
    return "" if not found else f"The database {home / FILE_NAME} is damaged: {found}."


def _salvage(home: Path) -> str:
    """Move a damaged database aside and save the vectors that can be read into a new one."""
    name = f"damaged-{time.strftime('%Y%m%d-%H%M%S')}-{FILE_NAME}"
    for suffix in _SIDE_FILES:
        path = home / f"{FILE_NAME}{suffix}"
        if path.exists():
            path.rename(home / f"{name}{suffix}")
    for path in (home / hnsw.FOLDER).glob("*"):
        path.unlink()  # they label vectors by ids of the old database
    database = Database(home)
    try:
        with database.writing() as db, _reading(home / name) as old:
            saved = _copy(old, db)
    finally:
        database.close()
    return (
        f"The damaged database was moved to {home / name}; {saved} vectors were saved. Run `codewhere index`"
        " in each folder again; what was saved is not embedded anew. Then the old file may be deleted."
    )


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to what can be read of a file; to an empty database where it is none at all."""
    connection = sqlite3.connect(":memory:" if path.is_dir() else path)
    try:
        yield connection
    finally:
        connection.close()


def _copy(old: sqlite3.Connection, db: sqlite3.Connection) -> int:
    now = time.time()
    for row in _readable(old, "models", "id, fingerprint, name, dim"):
        db.execute("INSERT OR IGNORE INTO models (id, fingerprint, name, dim) VALUES (?, ?, ?, ?)", row)
    for id_, hash_, text in _readable(old, "contents", "id, hash, text"):
        if _is_sound(hash_, text):
            statement = "INSERT OR IGNORE INTO contents (id, hash, text, unused_since) VALUES (?, ?, ?, ?)"
            db.execute(statement, (id_, hash_, text, now))
    db.execute("CREATE TEMP TABLE saved AS SELECT * FROM vectors LIMIT 0")
    for row in _readable(old, "vectors", "id, model_id, content_id, window, vector"):
        db.execute("INSERT INTO saved VALUES (?, ?, ?, ?, ?)", row)
    # A content whose windows are not all there must be embedded anew, so the windows must count up from 0.
    whole = "SELECT content_id, model_id FROM saved GROUP BY 1, 2 HAVING count(*) = max(window) + 1"
    cursor = db.execute(
        f"INSERT OR IGNORE INTO vectors SELECT * FROM saved WHERE (content_id, model_id) IN ({whole})"
        " AND content_id IN (SELECT id FROM contents) AND model_id IN (SELECT id FROM models)"
    )
    db.execute("DROP TABLE saved")
    return cursor.rowcount


def _readable(old: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[object, ...]]:
    """The rows of a table, less those on damaged pages."""
    try:
        last = old.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0
    except sqlite3.DatabaseError:
        return
    statement = f"SELECT {columns} FROM {table} WHERE id BETWEEN ? AND ?"
    for start in range(0, last + 1, _STEP):
        try:
            yield from old.execute(statement, (start, start + _STEP - 1)).fetchall()
        except sqlite3.DatabaseError:
            for id_ in range(start, start + _STEP):
                try:
                    yield from old.execute(statement, (id_, id_)).fetchall()
                except sqlite3.DatabaseError:
                    continue


def _is_sound(hash_: object, text: object) -> bool:
    try:
        content = to_blob(unpack_text(text))  # type: ignore[arg-type]
    except Exception:  # whatever damaged bytes do to zlib and the decoder
        return False
    return hash_of(content) == hash_
