"""The tables of the catalogue and the numbered steps that bring an older database up to date.

Text that came from files (paths, symbols, source) is kept as UTF-8 blobs with surrogates passed through,
because file names may hold any bytes and SQLite refuses such text.
"""

from __future__ import annotations

import sqlite3
from functools import cache

_INITIAL = """
CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    dim INTEGER NOT NULL,
    unused_since REAL                        -- when garbage collection first found no root that uses it
);
CREATE TABLE roots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path BLOB NOT NULL UNIQUE,
    generation INTEGER NOT NULL DEFAULT 0,   -- raised by every change of its files or functions
    tokens_version INTEGER NOT NULL,         -- of the words in its lexical index
    model_id INTEGER REFERENCES models(id),  -- the model it was last embedded with
    updated_at REAL,                         -- end of the last complete update
    missing_since REAL                       -- when the folder was first found gone
);
CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    root_id INTEGER NOT NULL REFERENCES roots(id) ON DELETE CASCADE,
    path BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,               -- SourceFile.changed_ns; -1 asks for a second look at the content
    hash BLOB NOT NULL,
    demoted TEXT NOT NULL,
    parser_version INTEGER NOT NULL,
    generation INTEGER NOT NULL,             -- of the root, when its functions last changed
    UNIQUE (root_id, path)
);
CREATE INDEX files_by_generation ON files(root_id, generation);
CREATE TABLE skipped (
    root_id INTEGER NOT NULL REFERENCES roots(id) ON DELETE CASCADE,
    path BLOB NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (root_id, path)
) WITHOUT ROWID;
CREATE TABLE contents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,               -- Function.content_hash
    text BLOB NOT NULL,                      -- Function.text, compressed
    unused_since REAL                        -- when the last function with it went; null while one is there
);
CREATE INDEX contents_unused ON contents(unused_since) WHERE unused_since IS NOT NULL;
CREATE TABLE functions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_id INTEGER NOT NULL REFERENCES files(id) ON DELETE CASCADE,
    content_id INTEGER NOT NULL REFERENCES contents(id),
    language TEXT NOT NULL,
    kind TEXT NOT NULL,
    symbol BLOB NOT NULL,
    doc_chars INTEGER NOT NULL,              -- length of the doc comment within the text
    signature NOT NULL,                      -- its length where the body starts with it, else the text
    start_byte INTEGER NOT NULL,
    end_byte INTEGER NOT NULL,
    start_line INTEGER NOT NULL,
    end_line INTEGER NOT NULL
);
CREATE INDEX functions_by_file ON functions(file_id, content_id);
CREATE INDEX functions_by_content ON functions(content_id);
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,    -- never given twice: it labels the vector in the HNSW files
    model_id INTEGER NOT NULL REFERENCES models(id),
    content_id INTEGER NOT NULL REFERENCES contents(id) ON DELETE CASCADE,
    window INTEGER NOT NULL,
    vector BLOB NOT NULL,                    -- float16, normalised
    UNIQUE (content_id, model_id, window)
);
CREATE INDEX vectors_by_model ON vectors(model_id);
CREATE TABLE settings (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""

_TESTS = """
ALTER TABLE functions ADD COLUMN is_test INTEGER NOT NULL DEFAULT 0; -- Function.is_test; 0 until the file is read again
"""

_DRAFTS = """
CREATE TABLE drafts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model_id INTEGER NOT NULL REFERENCES models(id),
    content_id INTEGER NOT NULL REFERENCES contents(id) ON DELETE CASCADE,
    vector BLOB NOT NULL,                    -- float16, of any length
    UNIQUE (content_id, model_id)
);
CREATE INDEX drafts_by_model ON drafts(model_id);
"""

MIGRATIONS = (_INITIAL, _TESTS, _DRAFTS)
"""Step n brings a database from user_version n to n + 1. Released steps never change; append one."""

VERSION = len(MIGRATIONS)


def version_of(connection: sqlite3.Connection) -> int:
    """The format of an open database; 0 when it is new."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def disorder(connection: sqlite3.Connection) -> str:
    """What shows that a database is not, or no longer, one of ours; empty for a whole one and for a new one."""
    connection.execute("BEGIN")  # of one state, as another process may be making the tables
    there, version = _tables(connection), version_of(connection)
    connection.execute("COMMIT")
    if version == 0:
        return "it holds the tables of another program" if there else ""
    if version > VERSION:
        return ""
    lacking = sorted(_own_tables(version) - there)
    return f"it lacks the table {', '.join(lacking)}" if lacking else ""


@cache
def _own_tables(version: int) -> frozenset[str]:
    whole = sqlite3.connect(":memory:")
    migrate(whole, version)
    names = _tables(whole)
    whole.close()
    return frozenset(names)


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return {name for (name,) in rows}


def migrate(connection: sqlite3.Connection, version: int | None = None) -> None:
    """Bring the database to `VERSION`, or another, in one transaction, so that a kill leaves the old format."""
    version = VERSION if version is None else version
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[version_of(connection) : version]:
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    # executescript would commit first, and the steps must be one transaction.
    lines = [line.split("--")[0].rstrip() for line in script.splitlines()]
    return [statement for statement in "\n".join(lines).split(";") if statement.strip()]
